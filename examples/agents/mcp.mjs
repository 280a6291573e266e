// An agent whose tools come from an MCP server; nothing about them is written here.
import { agent, listen } from './agent.mjs';

listen(
  (session, value) => {
    const key = value('MCP_KEY');
    const server = { url: value('MCP_URL'), ...(key ? { auth: { apiKey: key } } : {}) };
    session
      .agent(agent(value, 'You are the receptionist of a restaurant. Use your tools.', { mcpServers: [server] }))
      .send();
  },
  {
    MCP_URL: { type: 'string', description: 'an MCP server, streamable HTTP or SSE' },
    MCP_KEY: { type: 'string', description: 'its key, if it wants one', obscure: true },
  },
);
