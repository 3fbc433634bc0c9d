// Stands between the suite and the broker's own endpoint, so that the checks of tools, prompts and resources reach it
// too: what the suite calls by a server's own name is called as a model calls it, `call_tool` with `server/tool`, prompts
// and resources likewise. Everything else passes as it is, answers untouched.
//
//   node renames.mjs http://127.0.0.1:PORT SERVER      prints its own URL

import { createServer, request } from 'node:http';
import { pipeline } from 'node:stream';

const [target, server] = process.argv.slice(2);
const to = new URL(target);
const META_TOOLS = new Set(['search_tools', 'describe_tool', 'call_tool']);

/** The message as a client of the broker sends it. */
function renamed(message) {
  const { method, params } = message ?? {};
  if (method === 'tools/call' && typeof params?.name === 'string' && !META_TOOLS.has(params.name)) {
    const call = { tool: `${server}/${params.name}`, arguments: params.arguments ?? {} };
    return { ...message, params: { ...params, name: 'call_tool', arguments: call } };
  }
  if (method === 'prompts/get' && typeof params?.name === 'string') {
    return { ...message, params: { ...params, name: `${server}/${params.name}` } };
  }
  if (method === 'completion/complete' && params?.ref?.type === 'ref/prompt') {
    return { ...message, params: { ...params, ref: { ...params.ref, name: `${server}/${params.ref.name}` } } };
  }
  // Addresses that a list gave have the server's name already.
  const isAddress = ['resources/read', 'resources/subscribe', 'resources/unsubscribe'].includes(method);
  if (isAddress && typeof params?.uri === 'string' && !params.uri.startsWith('crib:')) {
    return { ...message, params: { ...params, uri: `crib://${server}/${params.uri}` } };
  }
  return message;
}

/** The headers for the endpoint: its own address for ours, and the new name where the old one was right. */
function readdressed(headers, before, after, own) {
  const sent = { ...headers };
  if (sent.host === own) sent.host = to.host;
  if (sent.origin === `http://${own}`) sent.origin = to.origin;
  const [old, now] = [before, after].map((message) => message?.params?.name ?? message?.params?.uri);
  if (old !== now && sent['mcp-name'] === old) sent['mcp-name'] = now;
  return sent;
}

const proxy = createServer(async (req, res) => {
  const parts = [];
  for await (const part of req) parts.push(part);
  let body = Buffer.concat(parts);
  let headers = { ...req.headers };
  const own = `127.0.0.1:${proxy.address().port}`;
  try {
    const before = JSON.parse(body.toString());
    const after = renamed(before);
    headers = readdressed(headers, before, after, own);
    if (after !== before) body = Buffer.from(JSON.stringify(after));
  } catch {
    headers = readdressed(headers, undefined, undefined, own);
  }
  if (body.length > 0) headers['content-length'] = body.length;
  delete headers['transfer-encoding'];
  const onward = request({ host: to.hostname, port: to.port, path: req.url, method: req.method, headers });
  onward.on('response', (answer) => {
    res.writeHead(answer.statusCode, answer.headers);
    res.flushHeaders();
    pipeline(answer, res, () => {});
  });
  onward.on('error', () => res.destroy());
  // A client that goes away cancels what it asked for.
  res.on('close', () => onward.destroy());
  onward.end(body);
});

proxy.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${proxy.address().port}`));
process.stdin.resume().on('end', () => process.exit(0));
