#!/usr/bin/env node
// A file of its own, because npm links commands when it installs, and the server is built after that.
import '../dist/main.js';
