// An agent whose recogniser ends the turns itself (Deepgram Flux) and whose voice is ElevenLabs'.
import { agent, listen } from './agent.mjs';

listen(
  (session, value) => {
    session.on('/agent-event', (event) => {
      if (event.type === 'turn_end') console.log('turn end:', JSON.stringify(event.latency));
    });
    session
      .agent(
        agent(value, 'You are the receptionist of a restaurant. Be brief.', {
          stt: { vendor: 'deepgramflux', deepgramOptions: { eagerEotThreshold: 0.4, eotThreshold: 0.8 } },
          tts: {
            vendor: 'elevenlabs',
            voice: value('ELEVENLABS_VOICE'),
            options: { model_id: 'eleven_flash_v2_5' },
          },
          turnDetection: 'stt',
        }),
      )
      .send();
  },
  { ELEVENLABS_VOICE: { type: 'string', description: 'ElevenLabs voice id', default: 'hpp4J3VqNfWAUOO0d1Us' } },
);
