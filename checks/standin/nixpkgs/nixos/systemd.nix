# systemd.*: units as options, as in NixOS, and the texts made of them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mapAttrs' mkOption types;
  cfg = config.systemd;
  unit = import ./systemd-options.nix { inherit lib pkgs; };
  text = import ./systemd-text.nix { inherit lib; };

  unitsOf =
    suffix: render: units:
    mapAttrs' (
      name: value:
      lib.nameValuePair "${name}.${suffix}" {
        text = render cfg.globalEnvironment value;
        inherit (value)
          enable
          aliases
          wantedBy
          requiredBy
          ;
      }
    ) units;
  option =
    modules:
    mkOption {
      type = types.attrsOf (types.submodule modules);
      default = { };
    };
in
{
  options.systemd = {
    package = mkOption {
      type = types.package;
      default = pkgs.systemd;
    };
    globalEnvironment = mkOption {
      type =
        with types;
        attrsOf (
          nullOr (oneOf [
            str
            path
            package
          ])
        );
      default = { };
    };
    services = option unit.service;
    timers = option unit.timer;
    sockets = option unit.socket;
    paths = option unit.path;
    targets = option unit.target;
    slices = option unit.slice;
    tmpfiles.rules = mkOption {
      type = types.listOf types.str;
      default = [ ];
    };
    tmpfiles.settings = mkOption {
      type = types.attrsOf (
        types.attrsOf (types.attrsOf (types.submodule (import ./tmpfiles-entry.nix { inherit lib; })))
      );
      default = { };
    };
    units = mkOption {
      type = types.attrsOf types.raw;
      internal = true;
      default = { };
    };
  };

  config.systemd = {
    timers = lib.mapAttrs (_: service: {
      wantedBy = [ "timers.target" ];
      timerConfig.OnCalendar = service.startAt;
    }) (lib.filterAttrs (_: service: service.enable && service.startAt != [ ]) cfg.services);
    units =
      unitsOf "path" text.path cfg.paths
      // unitsOf "service" text.service cfg.services
      // unitsOf "slice" text.slice cfg.slices
      // unitsOf "socket" text.socket cfg.sockets
      // unitsOf "target" text.target cfg.targets
      // unitsOf "timer" text.timer cfg.timers;
  };
}
