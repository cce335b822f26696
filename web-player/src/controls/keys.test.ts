import { describe, expect, it } from 'vitest';
import { keyAction } from './keys.js';

const press = (key: string, modifiers = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...modifiers });

describe('keyAction', () => {
  it.each([
    [' ', 'play'],
    ['k', 'play'],
    ['K', 'play'],
    ['m', 'mute'],
    ['f', 'fullScreen'],
    ['ArrowUp', 'louder'],
    ['ArrowDown', 'softer'],
    ['ArrowLeft', 'back'],
    ['ArrowRight', 'forward'],
    ['?', 'help'],
    ['x', undefined],
    ['Tab', undefined],
  ])('%j → %s', (key, action) => {
    expect(keyAction(press(key), 'page')).toBe(action);
  });

  it('leaves the browser its own', () => {
    expect(keyAction(press('f', { ctrlKey: true }), 'page')).toBeUndefined();
    expect(keyAction(press('m', { metaKey: true }), 'page')).toBeUndefined();
  });

  it('leaves fields their keys, and buttons the space', () => {
    expect(keyAction(press('ArrowUp'), 'field')).toBeUndefined();
    expect(keyAction(press(' '), 'button')).toBeUndefined();
    expect(keyAction(press('m'), 'button')).toBe('mute');
  });
});
