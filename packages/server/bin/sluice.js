#!/usr/bin/env -S node --max-semi-space-size=64
// A file of its own, because npm links commands when it installs, and the server is built after that. Node's flags are those of
// src/node-flags.ts.
import '../dist/main.js';
