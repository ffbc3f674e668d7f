/**
 * `npm run test:home-assistant`: `sonota-home-assistant` with a real Mosquitto, and with a real Home Assistant beside it,
 * which is installed first where that can be done.
 */
import { homeAssistantPalette } from './home-assistant/palette.mjs';
import { homeAssistant } from './home-assistant/place.mjs';
import { longRun } from './long-run.mjs';

const place = homeAssistant();
// The tests say in their own output that they are skipped, and why.
process.env.SONOTA_HOME_ASSISTANT = JSON.stringify(place);
const palette = homeAssistantPalette();
if (palette) process.env.SONOTA_HOME_ASSISTANT_PALETTE = palette;

await longRun(['home-assistant/with-mosquitto.js', 'home-assistant/with-home-assistant.js'], 12 * 60_000);
