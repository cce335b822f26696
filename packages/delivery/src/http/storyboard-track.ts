import type { Storyboard } from '@sluice/core';

/**
 * A WebVTT track whose cues name the small pictures of a sprite by media fragments, W3C WebVTT §4, Media Fragments URI
 * §4.2.2.
 *
 * @param image the sprite's URL, as the track is to have it
 */
export function storyboardTrack({ times, end, columns, width, height }: Storyboard, image: string): string {
  const cues = times.map((time, at) => {
    const place = [(at % columns) * width, Math.floor(at / columns) * height, width, height].join();
    return `${cueTime(time)} --> ${cueTime(Math.max(times[at + 1] ?? end, time + 1))}\n${image}#xywh=${place}\n`;
  });
  return `WEBVTT\n\n${cues.join('\n')}`;
}

function cueTime(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const fraction = String(whole % 1000).padStart(3, '0');
  return `${two(whole / 3_600_000)}:${two((whole / 60_000) % 60)}:${two((whole / 1000) % 60)}.${fraction}`;
}
