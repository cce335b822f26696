export { type Captions, type Cea608Channel, captionsIn } from './captions.js';
