// Drives a running server with jambonz's own REST client, as published; prints one JSON line per step.
import { createRequire } from 'node:module';
const { JambonzClient } = createRequire(process.env.SDK_PACKAGE)('@jambonz/sdk/client');

const [baseUrl, accountSid, apiKey, ann, bob] = process.argv.slice(2);
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
await client.calls.noiseIsolation(call.call_sid, 'enable', { vendor: 'webrtc', level: 50 });
say('noiseIsolation');
await client.calls.whisper(call.call_sid, { verb: 'say', text: 'Psst' }).catch((error) => say('early whisper', String(error).includes('422')));

const until = async (look) => {
  for (let turn = 0; turn < 100; turn += 1) {
    const found = (await client.calls.list()).find(look);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain: ${look}: ${JSON.stringify(await client.calls.list())}`);
};
const dial = JSON.stringify([{ verb: 'dial', target: [{ type: 'sip', sipUri: bob }] }]);
const sid = await client.calls.create({
  from: '+16175551212', to: { type: 'sip', sipUri: ann }, app_json: dial, tag: { order: 7 }, timeout: 20, callerName: 'Moon',
  speech_synthesis_vendor: 'cartesia', speech_synthesis_language: 'en-US', speech_synthesis_voice: 'sonic',
  speech_recognizer_vendor: 'deepgram', speech_recognizer_language: 'en-US',
});
say('create', typeof sid);
const up = await until((one) => one.call_sid === sid && one.call_status === 'in-progress');
say('created', { direction: up.direction, to: up.to === ann, tag: up.customerData, since: Boolean(up.answered_at) });
await until((one) => one.parent_call_sid === sid && one.call_status === 'in-progress');
await client.calls.whisper(sid, [{ verb: 'say', text: 'Psst' }]);
say('whisper');
await client.calls.transfer(call.call_sid, { mode: 'blind', blindMethod: 'dial', target: [{ type: 'sip', sipUri: bob }] });
await until((one) => one.parent_call_sid === call.call_sid && one.call_status === 'in-progress');
say('transfer');
await client.calls.create({ from: '1', to: { type: 'sip', sipUri: ann } }).catch((error) => say('refused', String(error).includes('400')));
await client.calls.delete(sid);
await client.calls.get('00000000-0000-4000-8000-000000000000').catch((error) => say('unknown', String(error).includes('404')));
await client.calls.delete(call.call_sid);
say('delete');
