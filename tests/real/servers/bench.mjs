// An MCP server on the TypeScript SDK that does everything a server can do to a client, one tool for each kind of traffic.
//
//     node bench.mjs --era modern|legacy [--port PORT] [--era-file FILE]
//
// The same server as `bench.py`, with the same tools, resources and prompts. Over stdio, or over Streamable HTTP on
// loopback with `--port` (modern only: in the handshake's era this SDK keeps no session there). It is copied beside the
// installed SDK and run there. Knows nothing of toolcrib.

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { createMcpHandler, inputRequired, ProtocolError, Server } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const PIXEL =
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const FORM = { type: 'object', properties: { colour: { type: 'string', enum: ['red', 'green'] } }, required: ['colour'] };
const COUNTER = 'bench://counter';
const LATE = 'bench://late';
const FLAVOURS = ['malt', 'mango', 'mint', 'plum'];
const LEVELS = ['debug', 'info', 'warning', 'error'];

const { values: options } = parseArgs({
    options: { era: { type: 'string', default: 'modern' }, 'era-file': { type: 'string' }, port: { type: 'string' } },
});
const [era] = options['era-file'] ? readFileSync(options['era-file'], 'utf8').split(/\s+/) : [options.era];

// What changes while the server runs: shared by all connections of a process.
const state = { counter: 0, lateTool: false, lateResource: false };
// How a change is told. Over stdio the connection's own server tells it, over HTTP the handler that serves subscriptions.
let told = null;

const form = message => inputRequired.elicit({ message, requestedSchema: FORM });
const address = () => inputRequired.elicitUrl({ message: 'Sign in, please.', url: 'https://bench.example/sign-in' });
const sample = () =>
    inputRequired.createMessage({
        messages: [{ role: 'user', content: { type: 'text', text: 'Name a flavour.' } }],
        systemPrompt: 'Be brief.',
        maxTokens: 20,
        temperature: 0.7,
    });
const roots = () => inputRequired.listRoots();

const text = value => ({
    content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }],
});

// Puts questions in turn. In the handshake's era the SDK asks the client itself and calls the handler again.
function ask(ctx, questions) {
    const before = ctx.mcpReq.requestState();
    const known = before ? JSON.parse(before) : [];
    const answers = ctx.mcpReq.inputResponses;
    if (answers?.next) known.push(answers.next);
    if (known.length === questions.length) return { answers: known };
    // The state is told to be what this server sent, so that a client that loses it fails.
    const wanted = { inputRequests: { next: questions[known.length]() }, requestState: JSON.stringify(known) };
    return { required: inputRequired(wanted) };
}

function asking(...questions) {
    return (request, ctx) => {
        const { answers, required } = ask(ctx, questions);
        return required ?? text(answers);
    };
}

// A result with something of everything.
const whole = () => ({
    content: [
        { type: 'text', text: 'words', annotations: { audience: ['user'], priority: 0.7 }, _meta: { 'bench/at': 1 } },
        { type: 'image', data: PIXEL, mimeType: 'image/png' },
        { type: 'resource_link', uri: COUNTER, name: 'counter' },
        { type: 'resource', resource: { uri: COUNTER, text: '0', mimeType: 'text/plain' } },
    ],
    structuredContent: { zebra: 1, apple: { deep: [1, 2.5, null, true] } },
    _meta: { 'bench/kind': 'whole' },
});

function echo(request, ctx) {
    const meta = { ...ctx.mcpReq._meta };
    delete meta.progressToken;
    return text({ arguments: request.params.arguments, meta });
}

function whoami(request, ctx, server) {
    const envelope = ctx.mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'];
    return text({
        capabilities: envelope ?? server.getClientCapabilities(),
        version: server.getNegotiatedProtocolVersion(),
    });
}

async function progress(request, ctx) {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const step of [1, 2, 3]) {
        const params = { progressToken, progress: step, total: 3, message: `step ${step}` };
        if (progressToken !== undefined) await ctx.mcpReq.notify({ method: 'notifications/progress', params });
        if (request.params.arguments?.pause) await pause(1000 * request.params.arguments.pause);
    }
    return text('three steps');
}

async function log(request, ctx) {
    for (const level of LEVELS) await ctx.mcpReq.log(level, { said: level }, 'bench');
    return text('four lines');
}

// A line that belongs to no request; the newer era has none.
function logLater(request, ctx, server) {
    setTimeout(() => server.sendLoggingMessage({ level: 'error', logger: 'bench', data: { said: 'later' } }), 200);
    return text('a line, later');
}

async function hang(request, ctx) {
    const { file } = request.params.arguments;
    writeFileSync(file, 'started');
    await new Promise(resolve => ctx.mcpReq.signal.addEventListener('abort', resolve));
    writeFileSync(file, 'cancelled');
    return text('cancelled');
}

function fail() {
    throw new ProtocolError(-31999, 'out of malt', { left: 0 });
}

const broken = () => ({ ...text('the oven is cold'), isError: true });

async function changeTools(request, ctx, server) {
    state.lateTool = request.params.arguments.there;
    await (told ? told.toolsChanged() : server.sendToolListChanged());
    return text(`late tool: ${state.lateTool}`);
}

async function changeResources(request, ctx, server) {
    state.lateResource = request.params.arguments.there;
    await (told ? told.resourcesChanged() : server.sendResourceListChanged());
    return text(`late resource: ${state.lateResource}`);
}

async function touch(request, ctx, server) {
    state.counter += 1;
    await (told ? told.resourceUpdated(COUNTER) : server.sendResourceUpdated({ uri: COUNTER }));
    return text('touched');
}

const TOOLS = {
    whole, echo, whoami, progress, log, hang, fail, broken, touch,
    log_later: logLater,
    change_tools: changeTools,
    change_resources: changeResources,
    ask_form: asking(() => form('Which colour?')),
    ask_url: asking(address),
    ask_model: asking(sample),
    ask_roots: asking(roots),
    ask_twice: asking(() => form('First?'), sample, () => form('Last?')),
};

function listTools() {
    const names = [...Object.keys(TOOLS), ...(state.lateTool ? ['late'] : [])];
    const inputSchema = { type: 'object' };
    return { tools: names.map(name => ({ name, description: `Does ${name} for the bench.`, inputSchema })) };
}

function listResources() {
    const uris = [COUNTER, ...(state.lateResource ? [LATE] : [])];
    return { resources: uris.map(uri => ({ uri, name: uri.slice(8), mimeType: 'text/plain' })) };
}

function readResource({ params }) {
    if (params.uri !== COUNTER) throw new ProtocolError(-32602, `no resource ${params.uri}`);
    return { contents: [{ uri: COUNTER, text: 'counted', mimeType: 'text/plain' }] };
}

function getPrompt({ params }, ctx) {
    const said = words => ({ messages: [{ role: 'user', content: { type: 'text', text: words } }] });
    if (params.name !== 'interview') return said(`One ${params.arguments?.flavour}.`);
    const { answers, required } = ask(ctx, [() => form('Which colour?')]);
    return required ?? said(JSON.stringify(answers));
}

function complete({ params }) {
    const values = FLAVOURS.filter(flavour => flavour.startsWith(params.argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
}

function makeServer() {
    const hint = { ttlMs: 61000, cacheScope: 'public' };
    const lists = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'];
    const cached = [...lists, 'resources/read', 'server/discover'];
    const changes = { listChanged: true };
    const server = new Server(
        { name: 'bench-typescript', version: '1.0.0' },
        {
            capabilities: {
                tools: changes, prompts: changes, resources: { ...changes, subscribe: true }, logging: {}, completions: {},
            },
            instructions: 'The bench.',
            cacheHints: Object.fromEntries(cached.map(method => [method, hint])),
        },
    );
    const call = (request, ctx) => {
        const tool = TOOLS[request.params.name];
        if (!tool) throw new ProtocolError(-32602, `no tool ${request.params.name}`);
        return tool(request, ctx, server);
    };
    server.setRequestHandler('tools/list', listTools);
    server.setRequestHandler('tools/call', call);
    server.setRequestHandler('resources/list', listResources);
    server.setRequestHandler('resources/templates/list', () => ({
        resourceTemplates: [{ uriTemplate: 'bench://shelf/{flavour}', name: 'shelf' }],
    }));
    server.setRequestHandler('resources/read', readResource);
    server.setRequestHandler('resources/subscribe', () => ({}));
    server.setRequestHandler('resources/unsubscribe', () => ({}));
    server.setRequestHandler('prompts/list', () => ({
        prompts: [{ name: 'order', arguments: [{ name: 'flavour', required: true }] }, { name: 'interview' }],
    }));
    server.setRequestHandler('prompts/get', getPrompt);
    server.setRequestHandler('completion/complete', complete);
    return server;
}

// Hands node's requests to a handler that speaks the web's types.
function serveHttp(handler, port) {
    const http = createServer(async (incoming, outgoing) => {
        const gone = new AbortController();
        outgoing.on('close', () => gone.abort());
        const body = incoming.method === 'POST' ? Readable.toWeb(incoming) : undefined;
        const url = `http://127.0.0.1:${port}${incoming.url}`;
        const request = new Request(url, {
            method: incoming.method, headers: incoming.headers, body, duplex: 'half', signal: gone.signal,
        });
        const response = await handler.fetch(request);
        outgoing.writeHead(response.status, Object.fromEntries(response.headers));
        if (!response.body) return outgoing.end();
        outgoing.flushHeaders();
        // A client that leaves in the middle is no fault of anybody.
        await pipeline(Readable.fromWeb(response.body), outgoing).catch(() => {});
    });
    http.listen(port, '127.0.0.1');
}

if (options.port) {
    const handler = createMcpHandler(makeServer, { legacy: 'reject' });
    told = handler.notify;
    serveHttp(handler, Number(options.port));
} else {
    // What this SDK calls serving the older era is serving both, as the client wants; a handshake settles it.
    serveStdio(makeServer, { legacy: era === 'modern' ? 'reject' : 'serve' });
}
