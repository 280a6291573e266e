// An agent that learns who calls while it already talks: inject_context when the customer record has been found.
import { agent, listen, onNth } from './agent.mjs';

const LOOKUP_MS = 1000; // what a customer database may take

listen((session, value) => {
  onNth(session, 'turn_end', 1, () => {
    setTimeout(() => {
      session.updateAgent({
        type: 'inject_context',
        messages: [{ role: 'system', content: 'CRM: the caller is Ada, a gold member since 2019. Greet her by name.' }],
      });
    }, LOOKUP_MS);
  });
  session.agent(agent(value, 'You are the receptionist of a restaurant.')).send();
});
