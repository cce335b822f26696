import type { EngineKind } from '../protocol.js';
import type { Engine, EngineSource } from './engine.js';

type MakeEngine = (source: EngineSource) => Engine;

/** Loads the code of an engine, which is big, when it is needed. */
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
    case 'whep': {
      const { WhepEngine } = await import('./whep-engine.js');
      return (source) => new WhepEngine(source);
    }
    case 'native-hls': {
      const { NativeHlsEngine } = await import('./native-hls-engine.js');
      return (source) => new NativeHlsEngine(source);
    }
  }
}
