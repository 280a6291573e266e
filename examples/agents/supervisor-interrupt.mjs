// A supervisor breaks in: generate_reply with interrupt replaces what the agent is saying.
import { agent, listen, onNth } from './agent.mjs';

const LISTENS_MS = 2000;

listen((session, value) => {
  onNth(session, 'llm_response', 2, () => {
    setTimeout(() => {
      session.updateAgent({
        type: 'generate_reply',
        instructions: 'Supervisor: stop the story. Tell the caller that a manager takes over.',
        interrupt: true,
      });
    }, LISTENS_MS);
  });
  session.agent(agent(value, 'You tell stories.')).send();
});
