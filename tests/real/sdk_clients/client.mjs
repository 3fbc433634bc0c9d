// The TypeScript SDK's client, as an application uses it: every kind of traffic that an application can see.
//
//     node client.mjs MODE TARGETS_JSON SCRATCH_FOLDER
//
// The same as `client.py`, with the same targets and the same lines on stdout. Copied beside the installed SDK and run
// there.

import { existsSync, readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import assert from 'node:assert/strict';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const DEADLINE = 10_000;
const COUNTER = 'bench://counter';
const [mode, targets, scratch] = process.argv.slice(2);

async function until(ready) {
    const end = Date.now() + DEADLINE;
    while (!ready()) {
        assert(Date.now() < end, 'not in time');
        await pause(20);
    }
}

// What an application answers, and what it saw.
function application() {
    const seen = { asked: [], lines: [], updated: [] };
    const client = new Client(
        { name: 'toolcrib-check', version: '1.0.0' },
        {
            capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
            versionNegotiation: { mode },
        },
    );
    client.setRequestHandler('elicitation/create', ({ params }) => {
        const kind = params.mode ?? 'form';
        seen.asked.push(kind);
        return { action: 'accept', ...(kind === 'form' && { content: { colour: 'green' } }) };
    });
    client.setRequestHandler('sampling/createMessage', () => {
        seen.asked.push('sampling');
        const content = { type: 'text', text: 'malt' };
        return { role: 'assistant', content, model: 'scripted', stopReason: 'endTurn' };
    });
    client.setRequestHandler('roots/list', () => {
        seen.asked.push('roots');
        return { roots: [{ uri: 'file:///srv/kitchen', name: 'kitchen' }] };
    });
    client.setNotificationHandler('notifications/message', ({ params }) => {
        seen.lines.push(params.level);
    });
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
        seen.updated.push(params.uri);
    });
    return { client, seen };
}

class Bench {
    constructor(client, seen, door, server) {
        Object.assign(this, { client, seen, door, server });
        this.modern = client.getNegotiatedProtocolVersion() === '2026-07-28';
    }

    name(name) {
        return this.door === 'broker' ? `${this.server}/${name}` : name;
    }

    uri(uri) {
        return this.door === 'broker' ? `crib://${this.server}/${uri}` : uri;
    }

    call(tool, args = {}, options = {}) {
        const params =
            this.door === 'broker'
                ? { name: 'call_tool', arguments: { tool: this.name(tool), arguments: args } }
                : { name: tool, arguments: args };
        if (options.meta) params._meta = options.meta;
        return this.client.callTool(params, { timeout: DEADLINE, ...options });
    }

    async answers(tool, ...wanted) {
        this.seen.asked.length = 0;
        const result = await this.call(tool);
        assert.deepEqual(this.seen.asked, wanted);
        assert(!result.isError, JSON.stringify(result.content));
        return JSON.parse(result.content[0].text);
    }
}

const KINDS = {
    async whole(bench) {
        const result = await bench.call('whole');
        const kinds = result.content.map(block => block.type);
        assert.deepEqual(kinds, ['text', 'image', 'resource_link', 'resource']);
        assert.deepEqual(result.structuredContent, { zebra: 1, apple: { deep: [1, 2.5, null, true] } });
        assert.equal(result.content[0].annotations.priority, 0.7);
    },
    async lists(bench) {
        const { resources } = await bench.client.listResources();
        assert(resources.some(each => each.uri === bench.uri(COUNTER)), JSON.stringify(resources).slice(0, 200));
        const { prompts } = await bench.client.listPrompts();
        assert(prompts.some(each => each.name === bench.name('order')), JSON.stringify(prompts).slice(0, 200));
        const { contents } = await bench.client.readResource({ uri: bench.uri(COUNTER) });
        assert.equal(contents[0].text, 'counted');
        const { messages } = await bench.client.getPrompt({ name: bench.name('order'), arguments: { flavour: 'malt' } });
        assert.equal(messages[0].content.text, 'One malt.');
    },
    async form(bench) {
        assert.deepEqual(await bench.answers('ask_form', 'form'), [{ action: 'accept', content: { colour: 'green' } }]);
    },
    async url(bench) {
        assert.equal((await bench.answers('ask_url', 'url'))[0].action, 'accept');
    },
    async sampling(bench) {
        assert.deepEqual((await bench.answers('ask_model', 'sampling'))[0].content, { type: 'text', text: 'malt' });
    },
    async roots(bench) {
        assert.equal((await bench.answers('ask_roots', 'roots'))[0].roots[0].name, 'kitchen');
    },
    async rounds(bench) {
        assert.equal((await bench.answers('ask_twice', 'form', 'sampling', 'form')).length, 3);
    },
    async prompt_asks(bench) {
        bench.seen.asked.length = 0;
        const { messages } = await bench.client.getPrompt({ name: bench.name('interview') });
        assert.deepEqual(bench.seen.asked, ['form']);
        assert(messages[0].content.text.includes('green'));
    },
    async progress(bench) {
        const steps = [];
        const onprogress = step => steps.push([step.progress, step.total, step.message]);
        // This SDK drops progress that arrives in one read with its answer.
        await bench.call('progress', { pause: 0.1 }, { onprogress });
        assert.deepEqual(steps, [[1, 3, 'step 1'], [2, 3, 'step 2'], [3, 3, 'step 3']]);
    },
    async log_levels(bench) {
        if (!bench.modern) await bench.client.setLoggingLevel('warning');
        bench.seen.lines.length = 0;
        await bench.call('log', {}, bench.modern ? { meta: { 'io.modelcontextprotocol/logLevel': 'warning' } } : {});
        // Directly, the Python server sends everything to a client of before.
        if (bench.door === 'direct' && !bench.modern) bench.seen.lines = bench.seen.lines.slice(-2);
        assert.deepEqual(bench.seen.lines, ['warning', 'error']);
    },
    async cancellation(bench) {
        const file = join(scratch, randomUUID());
        const reads = words => existsSync(file) && readFileSync(file, 'utf8') === words;
        const stop = new AbortController();
        const call = bench.call('hang', { file }, { signal: stop.signal }).catch(() => {});
        await until(() => reads('started'));
        stop.abort();
        await call;
        await until(() => reads('cancelled'));
    },
    async error(bench) {
        try {
            const result = await bench.call('fail');
            assert(bench.door === 'broker' && result.isError && result.content[0].text.includes('out of malt'));
        } catch (refusal) {
            assert(bench.door !== 'broker' && refusal.code === -31999, String(refusal));
        }
    },
    async completion(bench) {
        const ref = { type: 'ref/prompt', name: bench.name('order') };
        const found = await bench.client.complete({ ref, argument: { name: 'flavour', value: 'm' } });
        assert.deepEqual(found.completion.values, ['malt', 'mango', 'mint']);
    },
    async subscription(bench) {
        const uri = bench.uri(COUNTER);
        bench.seen.updated.length = 0;
        let events;
        if (bench.modern) {
            events = await bench.client.listen({ resourceSubscriptions: [uri] }, { timeout: DEADLINE });
            assert.deepEqual(events.honoredFilter.resourceSubscriptions, [uri]);
        } else {
            await bench.client.subscribeResource({ uri });
        }
        await bench.call('touch');
        await until(() => bench.seen.updated.includes(uri));
        await (events ? events.close() : bench.client.unsubscribeResource({ uri }));
    },
};

function tell(target, server, kind, problem) {
    const words = problem ? `${problem.name}: ${problem.message}`.slice(0, 400) : null;
    console.log(JSON.stringify({ door: target.door, server, kind, problem: words }));
}

async function check(target) {
    const { client, seen } = application();
    const transport = target.url
        ? new StreamableHTTPClientTransport(new URL(target.url))
        : new StdioClientTransport({ command: target.command[0], args: target.command.slice(1), stderr: 'ignore' });
    try {
        await client.connect(transport, { timeout: 3 * DEADLINE });
    } catch (problem) {
        for (const server of target.servers) tell(target, server, 'start', problem);
        return;
    }
    for (const server of target.servers) {
        const bench = new Bench(client, seen, target.door, server);
        for (const [kind, run] of Object.entries(KINDS)) {
            let problem = null;
            try {
                await run(bench);
            } catch (trouble) {
                problem = trouble;
            }
            tell(target, server, kind, problem);
        }
    }
    await client.close();
}

for (const target of JSON.parse(targets)) await check(target);
process.exit(0);
