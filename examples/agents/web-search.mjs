// An agent that looks things up: the tool asks a search service over HTTP while the agent says that it is looking.
import { agent, listen } from './agent.mjs';

const searchWeb = {
  name: 'search_web',
  description: 'Searches the web for news and facts; returns a few short texts.',
  parameters: { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] },
};

async function search(url, key, query) {
  const response = await fetch(`${url}?q=${encodeURIComponent(query)}`, {
    headers: { Authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(8000),
  });
  if (!response.ok) throw new Error(`search service answered ${response.status}`);
  const { results } = await response.json();
  return results.slice(0, 3).map((found) => `${found.title}: ${found.text}`).join('\n');
}

listen(
  (session, value) => {
    session.on('/tool-call', async ({ tool_call_id: id, arguments: given }) => {
      try {
        session.sendToolOutput(id, await search(value('SEARCH_URL'), value('SEARCH_KEY'), given.query));
      } catch (error) {
        session.sendToolOutput(id, { error: error.message });
      }
    });
    session
      .agent(
        agent(value, 'You answer questions about the world. Search the web for what you do not know. Say so first.', {
          tools: [searchWeb],
          toolHook: '/tool-call',
          toolFiller: { type: 'backchannel', startDelaySecs: 2, style: 'calm' },
        }),
      )
      .send();
  },
  {
    SEARCH_URL: { type: 'string', description: 'search service: GET ?q=..., answers {results: [{title, text}]}' },
    SEARCH_KEY: { type: 'string', description: 'its key', obscure: true },
  },
);
