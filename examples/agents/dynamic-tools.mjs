// An agent that gets other tools during the call: after the second turn it may tell prices, and knows that.
import { agent, listen, onNth } from './agent.mjs';

const getPrice = {
  name: 'get_price',
  description: 'Tells the price of the dinner menu.',
  parameters: { type: 'object', properties: {} },
};

listen((session, value) => {
  session.on('/tool-call', ({ tool_call_id: id }) => session.sendToolOutput(id, 'The dinner menu costs thirty dollars.'));
  onNth(session, 'turn_end', 2, () => {
    session.updateAgent({ type: 'update_tools', tools: [getPrice] });
    session.updateAgent({
      type: 'inject_context',
      messages: [{ role: 'system', content: 'You can look up prices now.' }],
    });
  });
  session.agent(agent(value, 'You are the receptionist of a restaurant.', { toolHook: '/tool-call' })).send();
});
