# `services.cim.sops`: the files of a host's instances that `nix run .#identity` made, put there by sops-nix and in /etc.
#
# The only file that knows sops. Options for files take their defaults from `services.cim.files`; what is then named in an
# instance's spec is what this host's sealed file must hold. A file that the operator names is his own affair.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.cim.sops;
  inherit (config.services.cim) fleet instances;
  spec = import ./spec.nix { inherit lib; };
  sealed = import ./sealed.nix { inherit lib; };

  hasFleet = options.services.cim.fleet.isDefined;
  hasIdentity = hasFleet && fleet.identity != null;
  isImported = options ? sops;

  # sops-nix's own folder.
  runtime = entry: "/run/secrets/${entry}";

  filesOf =
    name:
    let
      unit = spec.unitName name;
      leaf = fleet.declared.leaves.${name} or null;
    in
    {
      certFile = "/etc/cim/${name}/tls.crt";
      caFile = "/etc/cim/${name}/ca.pem";
      keyFile = runtime "${unit}.key";
      storeKeyFile = runtime "${unit}.store.key";
    }
    // lib.optionalAttrs (fleet.operator != null) {
      # Of all programs: the account, the program and .creds follow.
      services = runtime unit;
    }
    // lib.optionalAttrs (leaf != null) (
      if fleet.operator != null then
        { credentialsFile = runtime "${unit}.creds"; }
      else
        lib.optionalAttrs (leaf.nkey == null && leaf.certificate == null) {
          nkeySeedFile = runtime "${unit}.nk";
        }
    );

  needed = import ./needed.nix {
    inherit
      lib
      fleet
      filesOf
      runtime
      ;
    hostNames = cfg.names;
  };
  inherit (needed) certificate used;

  # The public files of an instance: below /etc/cim, and in the fleet's identity.
  public = lib.optionals hasIdentity (
    lib.concatLists (
      lib.mapAttrsToList (
        name: instance:
        let
          all = {
            certFile = {
              target = "cim/${name}/tls.crt";
              path = certificate instance;
            };
            caFile = {
              target = "cim/${name}/ca.pem";
              path = "ca.pem";
            };
          };
          of = _: file: {
            inherit (file) target path;
            inherit (instance) unit;
            source = fleet.identity + "/${file.path}";
          };
        in
        lib.mapAttrsToList of (builtins.intersectAttrs (used name instance) all)
      ) instances
    )
  );
  there = lib.filter (file: lib.pathExists file.source) public;

  entry = types.submodule {
    options = {
      unit = mkOption {
        type = types.str;
        description = "Unit, and user, that reads it.";
      };
      onChange = mkOption {
        type = types.enum [
          "nothing"
          "reload"
          "restart"
        ];
        description = "What the unit does when the value changes.";
      };
      requirement = mkOption {
        type = types.attrsOf types.raw;
        description = "What `cim-admin identity make` has to make, as the identity plan has it.";
      };
    };
  };
in
{
  options.services.cim = {
    files = mkOption {
      type = types.functionTo (types.attrsOf types.str);
      default = _: { };
      internal = true;
      description = "By an instance's name: the files that options have where nobody names others.";
    };
    sops = {
      enable = mkOption {
        type = types.bool;
        default = hasIdentity && isImported;
        defaultText = lib.literalMD "`true` where the fleet has an {option}`identity` and sops-nix is imported";
        description = ''
          Whether this host's instances get the keys and certificates that `nix run .#identity` makes. An option that
          names another file keeps it.
        '';
      };
      file = mkOption {
        type = types.nullOr types.path;
        default =
          if hasIdentity then dirOf fleet.identity + "/secrets/${config.networking.hostName}.yaml" else null;
        defaultText = lib.literalMD "the host's file in `secrets`, beside the fleet's {option}`identity`";
        example = lib.literalExpression "./secrets/hub-1.yaml";
        description = "This host's secrets, encrypted by sops; what its name says before `.yaml` is what the desk calls the host.";
      };
      hostKey = mkOption {
        type = types.nullOr (types.strMatching "ssh-ed25519 [A-Za-z0-9+/=]+( [^\n]*)?");
        default = null;
        example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGl4VbX8kTN3yKrjBGtg8aRF3wBWGxSLKvdjFa8jHCnb root@hub-1";
        description = ''
          The host's public ssh key, for which its secrets are encrypted, as `ssh-keyscan -t ed25519` prints it after the
          name. `null`: `secrets/.sops.yaml` has it.
        '';
      };
      names = mkOption {
        type = types.listOf types.str;
        default = [ ];
        example = [ "nats.example.com" ];
        description = ''
          Further names and addresses by which others dial this host's servers. Their certificates have the
          addresses in the fleet, the servers' names, and those of loopback.
        '';
      };
      entries = mkOption {
        type = types.attrsOf entry;
        default = { };
        internal = true;
        description = "What the file must hold. To be read, and added to by what else reads a secret.";
      };
    };
  };

  config = lib.mkMerge [
    {
      assertions = sealed.assertions {
        inherit
          cfg
          isImported
          hasIdentity
          public
          there
          ;
      };
    }
    (lib.mkIf cfg.enable {
      services.cim.files = filesOf;
      services.cim.sops.entries = lib.concatMapAttrs needed.entries instances;

      environment.etc = lib.listToAttrs (
        map (file: lib.nameValuePair file.target { inherit (file) source; }) there
      );
      # The path stays: nats-server reads a renewed certificate when it reloads.
      systemd.services = lib.mkMerge (
        map (file: {
          ${file.unit}.reloadTriggers = [ (builtins.hashFile "sha256" file.source) ];
        }) there
      );
    })
    (lib.optionalAttrs isImported {
      # Where there is no such file, an assertion says so: sops-nix would stop evaluation at it.
      sops.secrets = lib.mkIf (cfg.enable && sealed.isEncrypted cfg) (
        lib.mapAttrs (
          name: entry:
          let
            units = action: lib.optional (entry.onChange == action) "${entry.unit}.service";
          in
          {
            sopsFile = cfg.file;
            format = "yaml";
            key = name;
            # Said, so that nobody moves it away from where the option points.
            path = runtime name;
            owner = entry.unit;
            mode = "0400";
            reloadUnits = units "reload";
            restartUnits = units "restart";
          }
        ) cfg.entries
      );
    })
  ];
}
