// An agent with tools of the application: one in jambonz's flat form, one in OpenAI's.
import { agent, listen } from './agent.mjs';

const getWeather = {
  name: 'get_weather',
  description: 'Tells the weather of today at a place.',
  parameters: {
    type: 'object',
    properties: { location: { type: 'string', description: 'a city' } },
    required: ['location'],
  },
};
const getPrice = {
  type: 'function',
  function: {
    name: 'get_price',
    description: 'Tells the price of a menu in dollars.',
    parameters: { type: 'object', properties: { menu: { type: 'string', enum: ['dinner', 'lunch'] } } },
  },
};

const run = {
  get_weather: ({ location }) => ({ location, degrees: 18, sky: 'cloudless' }),
  get_price: ({ menu }) => `The ${menu} menu costs ${menu === 'lunch' ? 15 : 30} dollars.`,
};

listen((session, value) => {
  session.on('/tool-call', ({ tool_call_id: id, name, arguments: given }) => {
    console.log('tool', name, JSON.stringify(given));
    session.sendToolOutput(id, run[name](given));
  });
  session
    .agent(
      agent(value, 'You are the receptionist of a restaurant. Use your tools for weather and prices.', {
        tools: [getWeather, getPrice],
        toolHook: '/tool-call',
        toolFiller: { type: 'backchannel', startDelaySecs: 2 },
        hangup: { reason: 'the conversation is over' },
      }),
    )
    .send();
});
