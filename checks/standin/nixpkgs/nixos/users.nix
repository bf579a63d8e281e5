# users.users and users.groups, with the assertions that a service's user can break.
{
  config,
  lib,
  ...
}:
let
  inherit (lib)
    mkDefault
    mkIf
    mkOption
    types
    ;
  text =
    type: default:
    mkOption {
      inherit type default;
    };
  bool = text types.bool false;
  id = text (types.nullOr types.int) null;
  optionalText = text (types.nullOr types.str) null;
  # nixpkgs aborts; a throw can be tested
  shortName =
    what: name:
    lib.throwIf (
      builtins.stringLength name >= 32
    ) "${what} '${name}' is longer than 31 characters which is not allowed!" name;

  user =
    { name, config, ... }:
    {
      options = {
        name = mkOption {
          type = types.passwdEntry types.str;
          apply = shortName "Username";
        };
        description = text (types.passwdEntry types.str) "";
        uid = id;
        isSystemUser = bool;
        isNormalUser = bool;
        group = mkOption {
          type = types.str;
          default = "";
          apply = shortName "Group name";
        };
        extraGroups = text (types.listOf types.str) [ ];
        home = text (types.passwdEntry types.path) "/var/empty";
        homeMode = text (types.strMatching "[0-7]{1,5}") "700";
        createHome = bool;
        shell = text (types.nullOr (types.either types.shellPackage (types.passwdEntry types.path))) "/bin/nologin";
        hashedPassword = text (types.nullOr (types.passwdEntry types.str)) null;
        hashedPasswordFile = optionalText;
        initialPassword = optionalText;
        initialHashedPassword = text (types.nullOr (types.passwdEntry types.str)) null;
        packages = text (types.listOf types.package) [ ];
        linger = bool;
        openssh.authorizedKeys.keys = text (types.listOf types.singleLineStr) [ ];
        openssh.authorizedKeys.keyFiles = text (types.listOf types.path) [ ];
      };
      config = {
        name = mkDefault name;
        group = mkIf config.isNormalUser (mkDefault "users");
        createHome = mkIf config.isNormalUser (mkDefault true);
        home = mkIf config.isNormalUser (mkDefault "/home/${config.name}");
      };
    };
  group =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.passwdEntry types.str;
          apply = shortName "Group name";
        };
        gid = id;
        members = text (types.listOf (types.passwdEntry types.str)) [ ];
      };
      config.name = mkDefault name;
    };
in
{
  options.users = {
    mutableUsers = text types.bool true;
    users = text (types.attrsOf (types.submodule user)) { };
    groups = text (types.attrsOf (types.submodule group)) { };
  };

  config = {
    users.users.root = {
      uid = 0;
      group = mkDefault "root";
      home = mkDefault "/root";
    };
    users.groups = {
      root.gid = 0;
      users.gid = 100;
      wheel.gid = 1;
      keys.gid = 96;
    };
    assertions = lib.flatten (
      lib.mapAttrsToList (name: account: [
        {
          assertion =
            let
              system = account.isSystemUser || (account.uid != null && account.uid < 1000);
            in
            lib.xor system account.isNormalUser;
          message = ''
            Exactly one of users.users.${name}.isSystemUser and users.users.${name}.isNormalUser must be set.
          '';
        }
        {
          assertion = account.group != "";
          message = ''
            users.users.${name}.group is unset. This used to default to
            nogroup, but this is unsafe. For example you can create a group
            for this user with:
            users.users.${name}.group = "${name}";
            users.groups.${name} = {};
          '';
        }
      ]) config.users.users
    );
  };
}
