import type { EngineKind } from '../protocol.js';
import type { Engine, EngineSource } from './engine.js';
import { NativeHlsEngine } from './native-hls-engine.js';
import { WhepEngine } from './whep-engine.js';

type MakeEngine = (source: EngineSource) => Engine;

/** Loads the code of an engine when it is needed, where it is big. */
export async function loadEngine(kind: EngineKind): Promise<MakeEngine> {
  switch (kind) {
    case 'flv': {
      const { FlvEngine } = await import('./flv-engine.js');
      return (source) => new FlvEngine(source);
    }
    case 'hls': {
      const { HlsEngine } = await import('./hls-engine.js');
      return (source) => new HlsEngine(source);
    }
    case 'whep':
      return (source) => new WhepEngine(source);
    case 'native-hls':
      return (source) => new NativeHlsEngine(source);
  }
}
