// Loaded before the suite (`node --import`): gives toolcrib's bearer token to every request that goes to its port. The
// suite has no option for it. Nothing else of a request is touched: some checks are about its other headers.

import { subscribe } from 'node:diagnostics_channel';

const ORIGIN = `http://127.0.0.1:${process.env.CONFORMANCE_PORT}`;
const BEARER = `Bearer ${process.env.TOOLCRIB_HTTP_TOKEN}`;

// `fetch` and undici, whose requests are not those of node:http.
subscribe('undici:request:create', ({ request }) => {
  if (request.origin === ORIGIN) request.addHeader('authorization', BEARER);
});

subscribe('http.client.request.created', ({ request }) => {
  const { host, port } = request;
  if (`http://${host}:${port ?? request.agent?.defaultPort}` === ORIGIN) request.setHeader('authorization', BEARER);
});
