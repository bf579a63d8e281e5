# sops.*: names, types and defaults of sops-nix. Every sopsFile must exist, and be encrypted where it says it is YAML or JSON.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.sops;
  text =
    type: default:
    mkOption {
      inherit type default;
    };
  optional = type: text (types.nullOr type) null;
  keysOf =
    kind:
    lib.optionals config.services.openssh.enable (
      map (key: key.path) (
        lib.filter (
          key: key.type == kind && !(lib.hasPrefix "/run/secrets" key.path)
        ) config.services.openssh.hostKeys
      )
    );

  secret =
    { name, config, ... }:
    {
      options = {
        name = text types.str name;
        key = text types.str (if cfg.defaultSopsKey != null then cfg.defaultSopsKey else name);
        path = text types.str (
          if config.neededForUsers then
            "/run/secrets-for-users/${config.name}"
          else
            "/run/secrets/${config.name}"
        );
        format = text (types.enum [
          "yaml"
          "json"
          "binary"
          "dotenv"
          "ini"
        ]) cfg.defaultSopsFormat;
        mode = text types.str "0400";
        owner = optional types.str;
        uid = text (types.nullOr types.int) 0;
        group = text (types.nullOr types.str) (
          if config.owner != null then users.${config.owner}.group else null
        );
        gid = text (types.nullOr types.int) 0;
        sopsFile = mkOption { type = types.path; };
        sopsFileHash = mkOption {
          type = types.str;
          readOnly = true;
        };
        restartUnits = text (types.listOf types.str) [ ];
        reloadUnits = text (types.listOf types.str) [ ];
        neededForUsers = text types.bool false;
      };
      config = {
        sopsFile = lib.mkOptionDefault cfg.defaultSopsFile;
        sopsFileHash = lib.mkOptionDefault (
          lib.optionalString cfg.validateSopsFiles (builtins.hashFile "sha256" config.sopsFile)
        );
      };
    };
  users = config.users.users;

  # sops writes its own block of that name into what it encrypts
  isEncrypted = entry: lib.hasInfix "sops" (builtins.readFile entry.sopsFile);
  about = name: entry: [
    {
      assertion = entry.uid != null && entry.uid != 0 -> entry.owner == null;
      message = "In ${name} exactly one of sops.owner and sops.uid must be set";
    }
    {
      assertion = entry.gid != null && entry.gid != 0 -> entry.group == null;
      message = "In ${name} exactly one of sops.group and sops.gid must be set";
    }
    {
      assertion = cfg.validateSopsFiles -> isEncrypted entry;
      message = "sops.secrets.${name}: ${toString entry.sopsFile} is not encrypted by sops";
    }
    {
      assertion = entry.owner != null -> users ? ${entry.owner};
      message = "sops.secrets.${name}.owner: there is no user ${toString entry.owner}";
    }
  ];
in
{
  options.sops = {
    secrets = text (types.attrsOf (types.submodule secret)) { };
    defaultSopsFile = mkOption { type = types.path; };
    defaultSopsFormat = text types.str "yaml";
    defaultSopsKey = optional types.str;
    validateSopsFiles = text types.bool true;
    useSystemdActivation = text types.bool false;
    keepGenerations = text types.ints.unsigned 1;
    age = {
      keyFile = optional (types.pathWith { inStore = false; });
      generateKey = text types.bool false;
      sshKeyPaths = text (types.listOf types.path) (keysOf "ed25519");
    };
    gnupg = {
      home = optional types.str;
      sshKeyPaths = text (types.listOf types.path) (keysOf "rsa");
    };
  };

  config.assertions = lib.mkIf (cfg.secrets != { }) (
    [
      {
        assertion =
          cfg.gnupg.home != null
          || cfg.gnupg.sshKeyPaths != [ ]
          || cfg.age.keyFile != null
          || cfg.age.sshKeyPaths != [ ];
        message = "No key source configured for sops. Either set services.openssh.enable or set sops.age.keyFile or sops.gnupg.home";
      }
      {
        assertion = !(cfg.gnupg.home != null && cfg.gnupg.sshKeyPaths != [ ]);
        message = "Exactly one of sops.gnupg.home and sops.gnupg.sshKeyPaths must be set";
      }
    ]
    ++ lib.concatLists (lib.mapAttrsToList about cfg.secrets)
  );
}
