// An application on @jambonz/sdk that does what the test asks for, by events.
const { createServer } = require('node:http');
const { createRequire } = require('node:module');
const { createEndpoint } = createRequire(`${process.env.SDK_DIR}/`)('@jambonz/sdk/websocket');

const port = Number(process.env.PORT);
const server = createServer();
server.on('listening', () => console.log('listening'));
const service = createEndpoint({ server, port })({ path: '/' });

const actions = {
  again: (session) => session.say({ text: 'again' }).send(),
  queue: (session) => session.say({ text: 'queued' }).send({ execImmediate: false }),
  tag: (session) => session.injectTag({ orderId: 7 }),
  dtmf: (session) => session.injectDtmf('5', 200),
  mute: (session) => session.injectMute('mute'),
  update: (session) => session.updateAgent({
    type: 'inject_context', messages: [{ role: 'system', content: 'VIP' }],
  }),
  elsewhere: (session) => session.injectRedirect('/elsewhere'),
  complete: (session) => session.injectCommand('call:status', { call_status: 'completed' }),
  drop: (session) => session.close(),
};

service.on('session:new', (session) => {
  console.log(`session ${session.callSid}`);
  session.on('call:status', (status) => console.log(`status ${status.call_status}`));
  session.on('jambonz:error', (error) => console.log(`error ${error.msg}`));
  session.on('verb:status', (status) => console.log(`verb ${status.event} ${status.name}`));
  session.on('/agent-event', (event) => {
    console.log(`event ${event.type}`);
    actions[event.type]?.(session);
  });
  session.on('/tool', (call) => session.sendToolOutput(call.tool_call_id, `sunny in ${call.arguments.cityName}`));
  session.on('/done', (event) => session.say({ text: `bye ${event.completion_reason}` }).hangup().reply());
  session.on('/queue', () => session.say({ text: 'queued' }).reply({ execImmediate: false }));
  session.on('/silent', () => {});
  session.on('/next', () => session.say({ text: 'redirected' }).reply());
  session.agent({
    llm: { vendor: 'moonshot', model: 'kimi-k2.6', llmOptions: { messages: [{ role: 'system', content: 'Be brief.' }] } },
    actionHook: '/done', eventHook: '/agent-event', toolHook: '/tool',
  }).send();
});
