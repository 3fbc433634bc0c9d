// Loaded before the suite (`node --import`): gives toolcrib's bearer token to every request that goes to its address.
// The suite has no option for it. Nothing else of a request is touched: some checks are about its other headers.

import { subscribe } from 'node:diagnostics_channel';

const HOST = process.env.CONFORMANCE_HOST;
const BEARER = `Bearer ${process.env.TOOLCRIB_HTTP_TOKEN}`;

// `fetch` and undici. Where such a request goes is its origin, whatever Host header it sends.
subscribe('undici:request:create', ({ request }) => {
  if (request.origin === `http://${HOST}`) request.addHeader('authorization', BEARER);
});

// node:http, where a request does not keep its port; no check sends another Host header this way.
subscribe('http.client.request.created', ({ request }) => {
  if (request.getHeader('host') === HOST) request.setHeader('authorization', BEARER);
});
