# NixOS VM tests: no machine boots here, but every node is built, and the script is read by ./test-script.py.
{ lib, pkgs }:
let
  inherit (lib) mkOption types;
  flag = mkOption {
    type = types.bool;
    default = false;
  };

  # As there, a node has the test's own packages and cannot ask for others.
  onlyPackages =
    { options, ... }:
    let
      isSet = option: option.highestPrio < (lib.mkOptionDefault null).priority;
      set = lib.attrNames (lib.filterAttrs (_: isSet) options.nixpkgs);
    in
    {
      _module.args.pkgs = lib.mkForce (
        lib.throwIf (set != [ ])
          "The option `nixpkgs.${lib.head set}' is read-only: a node of a test has the test's own packages."
          pkgs
      );
    };

  # The options of nixpkgs' nixos/lib/testing that a test may set here. Any other is an error, on purpose.
  framework =
    { config, ... }:
    let
      node = types.submoduleWith {
        class = "nixos";
        specialArgs = {
          modulesPath = toString ../nixos;
        }
        // config.node.specialArgs;
        modules = [
          ../nixos/default.nix
          onlyPackages
          config.defaults
          (
            { name, ... }:
            {
              _module.args = { inherit (config) nodes; };
              networking.hostName = lib.mkDefault name;
            }
          )
        ];
      };
    in
    {
      options = {
        name = mkOption { type = types.str; };
        nodes = mkOption { type = types.lazyAttrsOf node; };
        defaults = mkOption {
          type = types.deferredModule;
          default = { };
        };
        node.specialArgs = mkOption {
          type = types.lazyAttrsOf types.raw;
          default = { };
        };
        testScript = mkOption { type = types.either types.str (types.functionTo types.str); };
        skipLint = flag;
        skipTypeCheck = flag;
        globalTimeout = mkOption {
          type = types.int;
          default = 60 * 60;
        };
        meta = mkOption {
          type = types.attrsOf types.raw;
          default = { };
        };
        passthru = mkOption {
          type = types.lazyAttrsOf types.raw;
          default = { };
        };
      };
      config._module.args = {
        inherit pkgs;
        inherit (config) nodes;
        hostPkgs = pkgs;
      };
    };

  runNixOSTest =
    test:
    let
      evaluation = lib.evalModules {
        class = "nixosTest";
        modules = [
          framework
          test
        ];
      };
      inherit (evaluation) config;
      inherit (config) nodes testScript;
      hostNames = lib.mapAttrsToList (_: node: node.networking.hostName) nodes;
      script = if lib.isFunction testScript then testScript { inherit nodes; } else testScript;
    in
    pkgs.runCommand "vm-test-run-${config.name}"
      {
        nativeBuildInputs = [ pkgs.python3 ];
        inherit script;
        passAsFile = [ "script" ];
        inherit (config) meta;
        passthru = config.passthru // {
          inherit config nodes;
        };
      }
      ''
        python3 ${./test-script.py} "$scriptPath" ${lib.escapeShellArgs hostNames}
        mkdir $out
        ${lib.concatMapAttrsStringSep "\n" (
          name: node: "ln -s ${node.system.build.toplevel} $out/${name}"
        ) nodes}
      '';
in
{
  inherit runNixOSTest;
}
