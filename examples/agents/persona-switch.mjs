// An agent that becomes somebody else in the middle of the call: update_instructions after the second turn.
import { agent, listen, onNth } from './agent.mjs';

listen((session, value) => {
  onNth(session, 'turn_end', 2, () => {
    session.updateAgent({
      type: 'update_instructions',
      instructions: 'You are a pirate captain now. Speak like one, briefly.',
    });
  });
  session.agent(agent(value, 'You are a polite receptionist.')).send();
});
