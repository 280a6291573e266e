// What all examples share: the server, and an agent that every one of them completes.
import { createServer } from 'node:http';
import { createEndpoint } from '@jambonz/sdk/websocket';

const envVars = {
  LLM_MODEL: { type: 'string', description: 'vendor:model of the language model', default: 'moonshot:kimi-k2.6' },
};

/** Listen on PORT; `onSession(session, value)` runs for each call, `value(name)` reads an operator's variable. */
export function listen(onSession, moreVars = {}) {
  const vars = { ...envVars, ...moreVars };
  const port = Number(process.env.PORT ?? 3000);
  const server = createServer();
  server.on('listening', () => console.log(`listening on port ${port}`));
  const makeService = createEndpoint({ server, port, envVars: vars });
  makeService({ path: '/' }).on('session:new', (session) => {
    const value = (name) => session.data.env_vars?.[name] ?? process.env[name] ?? vars[name]?.default;
    session.on('/agent-complete', (event) => {
      console.log('agent complete:', event.completion_reason);
      session.hangup().reply();
    });
    session.on('jambonz:error', (error) => console.log('error', JSON.stringify(error)));
    onSession(session, value);
  });
}

/** The common part of the agent verb. */
export function agent(value, systemPrompt, { tools, ...more } = {}) {
  const [vendor, ...model] = value('LLM_MODEL').split(':');
  return {
    stt: { vendor: 'deepgram', language: 'en-US', deepgramOptions: { model: 'nova-3-general' } },
    tts: { vendor: 'cartesia', voice: 'f786b574-daa5-4673-aa0c-cbe3e8534c02' },
    llm: {
      vendor,
      model: model.join(':'),
      llmOptions: { messages: [{ role: 'system', content: systemPrompt }], ...(tools ? { tools } : {}) },
    },
    turnDetection: 'krisp',
    bargeIn: { enable: true },
    eventHook: '/agent-event',
    actionHook: '/agent-complete',
    ...more,
  };
}

/** Call `action` when the n-th event of a type has come (the greeting counts). */
export function onNth(session, type, n, action) {
  let count = 0;
  session.on('/agent-event', (event) => {
    if (event.type === type && ++count === n) action();
  });
}
