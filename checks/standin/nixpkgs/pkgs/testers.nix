# NixOS VM tests: nothing boots here, but every node is evaluated and built and the script must be Python.
{ lib, pkgs }:
let
  nixosSystem = import ../nixos/system.nix { inherit lib; };
  runNixOSTest =
    test:
    let
      given = if lib.isFunction test then test { inherit lib pkgs; } else test;
      defaults = given.defaults or { };
      node =
        name: module:
        (nixosSystem {
          inherit (pkgs.stdenv.hostPlatform) system;
          specialArgs = given.node.specialArgs or { };
          modules = [
            defaults
            module
            { networking.hostName = lib.mkDefault name; }
          ];
        }).config;
      nodes = lib.mapAttrs node given.nodes;
      script =
        if lib.isFunction given.testScript then given.testScript { inherit nodes; } else given.testScript;
    in
    pkgs.runCommand "vm-test-nodes-${given.name}"
      {
        nativeBuildInputs = [ pkgs.python3 ];
        inherit script;
        passAsFile = [ "script" ];
        passthru = { inherit nodes; };
      }
      ''
        cp "$scriptPath" script.py
        python3 -m py_compile script.py
        mkdir $out
        ${lib.concatMapAttrsStringSep "\n" (
          name: config: "ln -s ${config.system.build.toplevel} $out/${name}"
        ) nodes}
      '';
in
{
  inherit runNixOSTest;
  nixosTest = runNixOSTest;
}
