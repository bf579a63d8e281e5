# deploy-schema: `deploy` as deploy-rs reads it, checked by option types; the first wrong setting stops evaluation.
{ lib, pkgs }:
deploy:
let
  inherit (lib) mkOption types;
  optional =
    type:
    mkOption {
      type = types.nullOr type;
      default = null;
    };
  # these may stand at the top, at a node and at a profile
  generic = {
    sshUser = optional types.str;
    user = optional types.str;
    sshOpts = optional (types.listOf types.str);
    fastConnection = optional types.bool;
    autoRollback = optional types.bool;
    magicRollback = optional types.bool;
    confirmTimeout = optional types.int;
    activationTimeout = optional types.int;
    tempPath = optional types.str;
    interactiveSudo = optional types.bool;
    sudo = optional types.str;
    remoteBuild = optional types.bool;
  };
  profile.options = generic // {
    path = mkOption { type = types.package; };
    profilePath = optional types.str;
  };
  # deploy-rs's own schema takes a node without profiles; such a node deploys nothing, so this does not
  node.options = generic // {
    hostname = mkOption { type = types.str; };
    profilesOrder = optional (types.listOf types.str);
    profiles = mkOption {
      type = types.addCheck (types.attrsOf (types.submodule profile)) (profiles: profiles != { }) // {
        description = "non-empty attribute set of profiles";
      };
    };
  };
  schema = {
    options.deploy = generic // {
      nodes = mkOption {
        type = types.attrsOf (types.submodule node);
        default = { };
      };
      # ours, for whoever deploys: deploy-rs passes over what it does not know
      targets = optional types.str;
    };
  };
  checked =
    (lib.evalModules {
      modules = [
        schema
        {
          _file = "flake.nix";
          inherit deploy;
        }
      ];
    }).config.deploy;
  named = lib.all (name: builtins.match "[A-z][A-z0-9_-]*" name != null) (
    lib.attrNames checked.nodes
  );
  summary = lib.mapAttrs (_: node': {
    inherit (node') hostname;
    profiles = lib.mapAttrs (_: profile': {
      path = "${profile'.path}";
      inherit (profile') user;
    }) node'.profiles;
  }) checked.nodes;
in
lib.throwIfNot named "deploy.nodes: a name must match [A-z][A-z0-9_-]*" (
  builtins.deepSeq checked.nodes (pkgs.writeText "deploy-schema.json" (builtins.toJSON summary))
)
