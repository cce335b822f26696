import type { HealthReason } from '../feed/views.js';
import type { I18n } from '../i18n/i18n.js';

const texts = {
  en: {
    'encoder-gone': 'The encoder is gone; viewers wait for it to come back',
    'nothing-comes': 'Nothing has come from the encoder for {n} s, though it is connected',
    'no-picture': 'No picture has come for {n} s, though other data has',
    'no-tracks': 'The encoder has not said what it sends: nobody can decode it',
    'no-keyframe': 'No keyframe for {n} s: nobody who comes now sees a picture',
    'keyframes-rare': 'A keyframe only every {n} s: who comes waits that long; 2 s is a good interval',
    'frames-dropped': 'Only {n} pictures a second: the encoder or its line can’t keep up',
    'av-drift': 'Sound and picture have moved {n} ms apart since the encoder began',
    'b-frames':
      'It has B-frames, which {n} viewer over WebRTC sees as stutter; set bframes to 0|It has B-frames, which {n} viewers over WebRTC see as stutter; set bframes to 0',
    reconnects: 'The encoder came back {n} times in the last 5 minutes: look at its line',
  },
  de: {
    'encoder-gone': 'Der Encoder ist weg; die Zuschauer warten, bis er wiederkommt',
    'nothing-comes': 'Seit {n} s kommt nichts vom Encoder, obwohl er verbunden ist',
    'no-picture': 'Seit {n} s kommt kein Bild, andere Daten aber schon',
    'no-tracks': 'Der Encoder hat nicht gesagt, was er sendet: niemand kann es dekodieren',
    'no-keyframe': 'Seit {n} s kein Keyframe: wer jetzt kommt, sieht kein Bild',
    'keyframes-rare': 'Nur alle {n} s ein Keyframe: so lange wartet, wer kommt; gut sind 2 s',
    'frames-dropped': 'Nur {n} Bilder pro Sekunde: Encoder oder Leitung kommen nicht nach',
    'av-drift': 'Ton und Bild sind seit Sendebeginn {n} ms auseinandergelaufen',
    'b-frames':
      'Der Stream hat B-Frames, die {n} Zuschauer per WebRTC als Ruckeln sieht; bframes auf 0 stellen|Der Stream hat B-Frames, die {n} Zuschauer per WebRTC als Ruckeln sehen; bframes auf 0 stellen',
    reconnects: 'Der Encoder kam in den letzten 5 Minuten {n} Mal wieder: die Leitung prüfen',
  },
} as const;

/** What is wrong, in the console's language; in the server's words where the server knows more than the console. */
export function healthWords({ code, value, message }: HealthReason, i18n: I18n): string {
  if (!(code in texts.en)) return message;
  return i18n.words<keyof typeof texts.en>(texts)(code as keyof typeof texts.en, { n: Math.abs(value ?? 0) });
}
