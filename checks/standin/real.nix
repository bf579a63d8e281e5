# The same host under this stand-in and under nixpkgs' own lib and all of NixOS's own modules, to be compared.
#
# For a developer who has them (CI does not); ./README.md has the command.
{
  # nixosConfigurations.<name>, evaluated with the stand-in
  configuration,
  # nixpkgs' lib/ and nixos/
  nixpkgsLib,
  nixos,
  # what else to compare
  extract ? (_config: { }),
  # what else NixOS evaluates; must not make it another host
  modules ? [ ],
}:
let
  lib = import nixpkgsLib;
  inherit (configuration.pkgs.stdenv.hostPlatform) system;

  pkgs = import ./real-packages.nix {
    inherit lib;
    standin = import configuration.pkgs.path { inherit lib system; };
  };
  real = import (nixos + "/lib/eval-config.nix") {
    inherit lib;
    system = null;
    inherit (configuration._module) specialArgs;
    modules =
      configuration._module.args.modules
      ++ [
        {
          _module.args.pkgs = lib.mkForce pkgs;
          nixpkgs.pkgs = pkgs;
          nixpkgs.hostPlatform = lib.mkDefault system;
          # locale and time zone files, which the stand-in leaves out
          systemd.globalEnvironment = lib.mkForce { };
          boot.kernel.enable = false;
        }
      ]
      ++ modules;
  };

  ours = configuration.config;
  # NixOS's own assertions reach packages that are not here
  fromHost =
    evaluation: option:
    lib.concatMap (def: def.value) (
      lib.filter (
        def:
        !(lib.any (path: lib.hasPrefix (toString path) (toString def.file)) [
          nixos
          configuration.pkgs.path
        ])
      ) evaluation.options.${option}.definitionsWithLocations
    );
  # what the host's modules define, and not what NixOS adds of its own
  of =
    evaluation:
    let
      inherit (evaluation) config;
      only = names: lib.filterAttrs (name: _: names ? ${name});
      account = user: {
        inherit (user)
          name
          description
          uid
          isSystemUser
          isNormalUser
          group
          extraGroups
          home
          createHome
          ;
      };
    in
    {
      units = lib.mapAttrs (_: unit: {
        inherit (unit)
          text
          enable
          aliases
          wantedBy
          requiredBy
          ;
      }) (only ours.systemd.units config.systemd.units);
      etc = lib.mapAttrs (_: entry: {
        inherit (entry)
          enable
          target
          mode
          user
          group
          ;
        source = "${entry.source}";
      }) (only ours.environment.etc config.environment.etc);
      users = lib.mapAttrs (_: account) (
        removeAttrs (only ours.users.users config.users.users) [ "root" ]
      );
      groups = lib.attrNames (only ours.users.groups config.users.groups);
      ports = config.networking.firewall.allowedTCPPorts;
      failedAssertions = map (entry: entry.message) (
        lib.filter (entry: !entry.assertion) (fromHost evaluation "assertions")
      );
      extracted = extract config;
    };
  theirs = of real;
  mine = of configuration;
  differing = lib.filterAttrs (name: value: value != mine.${name}) theirs;
in
{
  agree = differing == { };
  different = lib.mapAttrs (name: value: {
    nixpkgs = value;
    standin = mine.${name};
  }) differing;
  compared = mine;
}
