"""Runs a command as another user under a seccomp profile in Docker's format: under-seccomp.py PROFILE UID COMMAND..."""

import json
import os
import sys

import seccomp

profile, uid, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
with open(profile, encoding="utf-8") as file:
    rules = json.load(file)["syscalls"]
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
wanted = seccomp.SyscallFilter(defaction=seccomp.ERRNO(1))
for rule in rules:
    action = seccomp.ALLOW if rule["action"] == "SCMP_ACT_ALLOW" else seccomp.ERRNO(rule["errnoRet"])
    arguments = [seccomp.Arg(a["index"], seccomp.MASKED_EQ, a["value"], a["valueTwo"]) for a in rule.get("args", [])]
    for name in rule["names"]:
        # As engines do it: what this library has no number for, programs can't call by it either.
        if seccomp.resolve_syscall(seccomp.Arch(), name) != -1:
            wanted.add_rule(action, name, *arguments)
wanted.load()
os.execvp(command[0], command)
