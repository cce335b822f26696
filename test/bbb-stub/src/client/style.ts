import { FORBIDDEN_COLOURS, type ForbiddenPart } from '../skin.js';

const colour = (part: ForbiddenPart) => `rgb(${FORBIDDEN_COLOURS[part].join(' ')})`;

/** The client's style. Parts that a capture leaves out cover nothing of the picture's numbers, but dialogs do. */
export const STYLE = `
  html, body, #app { margin: 0; height: 100%; overflow: hidden; background: #06172a; color: #111; font: 16px sans-serif; }
  #stage { position: fixed; inset: 0; width: 100vw; height: 100vh; }
  .part { position: fixed; z-index: 10; overflow: hidden; box-sizing: border-box; padding: 4px; }
  .nav-bar { left: 0; right: 0; top: 0; height: 8vh; background: ${colour('navBar')}; }
  .actions-bar { left: 0; right: 0; bottom: 0; height: 10vh; background: ${colour('actionsBar')}; text-align: center; }
  .user-list { left: 0; top: 8vh; bottom: 10vh; width: 10vw; background: ${colour('userList')}; }
  .chat { left: 10vw; top: 8vh; bottom: 10vh; width: 14vw; background: ${colour('chat')}; }
  .chat textarea { position: absolute; bottom: 4px; left: 4px; width: 9vw; height: 5vh; }
  .chat button { position: absolute; bottom: 4px; right: 4px; }
  .Toastify { position: fixed; z-index: 60; top: 1vh; right: 1vw; width: 22vw; }
  .toast { background: ${colour('toast')}; padding: 2vh; margin-bottom: 1vh; }
  .backdrop { position: fixed; z-index: 50; inset: 0; background: rgb(6 23 42 / 75%); }
  .dialog { position: absolute; left: 30%; top: 30%; width: 40%; height: 40%; background: ${colour('modal')}; color: #fff; }
  .corner { position: fixed; z-index: 40; right: 1vw; bottom: 12vh; width: 24vw; height: 20vh; background: ${colour('modal')}; }
  .banner { position: fixed; z-index: 55; left: 0; right: 0; top: 0; background: #555; color: #fff; text-align: center; }
  .overlay { position: fixed; z-index: 100; inset: 0; }
  .screen { position: fixed; inset: 0; display: grid; place-content: center; text-align: center; color: #eee; }
`;
