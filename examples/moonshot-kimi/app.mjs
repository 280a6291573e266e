// The voice agent of jambonz's Moonshot page, as an application on @jambonz/sdk.
import { createServer } from 'node:http';
import { createEndpoint } from '@jambonz/sdk/websocket';

const port = Number(process.env.PORT ?? 3000);

// what the operator may set for this application; the page's model unless LLM_MODEL says otherwise
const envVars = {
  LLM_MODEL: {
    type: 'string',
    description: 'vendor:model of the language model',
    default: 'moonshot:kimi-k2-0711-preview',
  },
};

const server = createServer();
server.on('listening', () => console.log(`listening on port ${port}`));
const makeService = createEndpoint({ server, port, envVars });
const service = makeService({ path: '/' });

service.on('session:new', (session) => {
  const choice = session.data.env_vars?.LLM_MODEL ?? envVars.LLM_MODEL.default;
  const [vendor, ...rest] = choice.split(':');
  const model = rest.join(':');
  console.log(`call ${session.callSid} from ${session.from} to ${session.to}: ${vendor} ${model}`);

  session.on('/agent-event', (event) => console.log('event', JSON.stringify(event)));
  session.on('/agent-complete', (event) => {
    console.log('agent complete:', event.completion_reason);
    session.hangup().reply();
  });
  session.on('jambonz:error', (error) => console.log('error', JSON.stringify(error)));
  session.on('close', (code) => console.log(`session closed: ${code}`));

  session.agent({
    llm: {
      vendor,
      model,
      llmOptions: {
        systemPrompt: 'You are a helpful voice assistant.',
      },
    },
    stt: { vendor: 'deepgram', language: 'en-US' },
    tts: { vendor: 'cartesia', voice: 'sonic-english' },
    turnDetection: 'krisp',
    bargeIn: { enable: true },
    actionHook: '/agent-complete',
    eventHook: '/agent-event', // not on the page: what happens in the call, for the log above
  }).send();
});
