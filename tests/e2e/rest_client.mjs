// Drives a running server with jambonz's own REST client, as published; prints one JSON line per step.
import { createRequire } from 'node:module';
const { JambonzClient } = createRequire(process.env.SDK_PACKAGE)('@jambonz/sdk/client');

const [baseUrl, accountSid, apiKey] = process.argv.slice(2);
const client = new JambonzClient({ baseUrl, accountSid, apiKey });
const say = (step, value) => console.log(JSON.stringify({ step, value: value ?? null }));

say('count', await client.calls.count());
const calls = await client.calls.list();
say('list', calls.length);
const call = await client.calls.get(calls[0].call_sid);
say('get', { status: call.call_status, from: call.from });
await client.calls.mute(call.call_sid, 'mute');
say('mute');
await client.calls.updateAgent(call.call_sid, { type: 'inject_context', messages: [{ role: 'system', content: 'VIP' }] });
say('updateAgent');
await client.calls.get('00000000-0000-4000-8000-000000000000').catch((error) => say('unknown', String(error).includes('404')));
await client.calls.delete(call.call_sid);
say('delete');
