"""Reads the script of a NixOS VM test: it is Python, the names in it are known, machines have the methods it calls.

A smaller answer to what nixpkgs' test driver does with mypy and pyflakes before a machine boots.
"""

import ast
import builtins
import re
import symtable
import sys

# Of nixpkgs' nixos/lib/test-driver: what a script finds there, and what a machine can do.
DRIVER = """
    create_machine driver join_all log machines os polling_condition retry run_tests serial_stdout_off serial_stdout_on
    start_all subtest test_script vlans
""".split()
MACHINE = """
    block console_interact copy_from_host copy_from_host_via_shell copy_from_vm crash execute fail forward_port
    get_tty_text get_unit_info get_unit_property is_up log name reboot require_unit_state screenshot send_chars
    send_console send_key send_monitor_command shell_interact shutdown sleep start start_job stop_job succeed
    switch_root systemctl unblock wait_for_closed_port wait_for_console_text wait_for_file wait_for_job
    wait_for_open_port wait_for_open_unix_socket wait_for_shutdown wait_for_unit wait_until_fails wait_until_succeeds
    wait_until_tty_matches
""".split()


def used(table: symtable.SymbolTable) -> set[str]:
    """Names that this scope, and those inside it, expect among the script's own."""
    names = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module")
    }
    return names.union(*map(used, table.get_children()))


def passed(tree: ast.Module, functions: dict[str, list[ast.arg]], machines: set[str]) -> dict[str, set[str]]:
    """By function: the parameters that are a machine where it is called with one, also through other functions."""
    found: dict[str, set[str]] = {name: set() for name in functions}
    for _ in functions:
        for scope in tree.body:
            local = machines | found.get(getattr(scope, "name", ""), set())
            for call in ast.walk(scope):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in functions:
                    for parameter, argument in zip(functions[call.func.id], call.args):
                        if isinstance(argument, ast.Name) and argument.id in local:
                            found[call.func.id].add(parameter.arg)
    return found


def main(path: str, host_names: list[str]) -> int:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    tree = ast.parse(text, "testScript")
    table = symtable.symtable(text, "testScript", "exec")
    machines = {re.sub(r"^[^A-Za-z_]|[^A-Za-z0-9_]", "_", name) for name in host_names}
    if len(machines) == 1:
        machines.add("machine")
    defined = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    known = defined | machines | {*DRIVER, *dir(builtins), "__file__", "__name__"}
    problems = [f"testScript: there is no {name}" for name in sorted(used(table) - known)]
    functions = {node.name: node.args.args for node in tree.body if isinstance(node, ast.FunctionDef)}
    given = passed(tree, functions, machines)
    problems += [
        f"testScript:{node.lineno}: a machine has no {node.attr}"
        for scope in tree.body
        for node in ast.walk(scope)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in machines | given.get(getattr(scope, "name", ""), set())
        and node.attr not in MACHINE
    ]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"testScript: its machines are {', '.join(sorted(machines))}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
