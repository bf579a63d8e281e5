# nixpkgs.*: for which platform the host is, and the package set that follows from it.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.nixpkgs;
in
{
  options.nixpkgs = {
    hostPlatform = mkOption {
      type = types.either types.str types.attrs;
      apply = lib.systems.elaborate;
    };
    system = mkOption { type = types.str; };
    overlays = mkOption {
      type = types.listOf types.raw;
      default = [ ];
    };
    config = mkOption {
      type = types.attrs;
      default = { };
    };
  };

  config._module.args.pkgs = lib.mkDefault (
    import ../. {
      inherit lib;
      inherit (cfg) overlays;
      system =
        if options.nixpkgs.hostPlatform.isDefined then
          cfg.hostPlatform.system
        else if options.nixpkgs.system.isDefined then
          cfg.system
        else
          throw "Neither nixpkgs.hostPlatform nor the argument `system' of nixosSystem is set.";
    }
  );
}
