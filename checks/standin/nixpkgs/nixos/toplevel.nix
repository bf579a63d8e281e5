# Assertions, warnings and system.build.toplevel: one directory with all that a switch would install.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib)
    concatMapStrings
    concatStrings
    escapeShellArg
    filterAttrs
    mapAttrsToList
    mkOption
    types
    ;
  inherit (import ../lib/types/core.nix lib) forceOptions;

  failed = map (entry: entry.message) (lib.filter (entry: !entry.assertion) config.assertions);
  # Laziness would hide mistakes in what nothing here reads, so every option that has a value is evaluated. A message
  # need not make sense while its assertion holds, and `system.build` holds this very value.
  everything = forceOptions (
    removeAttrs options [
      "assertions"
      "nixpkgs"
      "system"
    ]
  );

  link =
    unit: folder:
    let
      directory = "$out/units/${folder}";
    in
    ''
      mkdir -p ${directory}
      ln -s ../${escapeShellArg unit} ${directory}/${escapeShellArg unit}
    '';
  installUnit = name: unit: ''
    cp ${pkgs.writeText "unit-${lib.replaceStrings [ "@" ":" ] [ "-" "-" ] name}" unit.text} $out/units/${escapeShellArg name}
    ${concatMapStrings (target: link name "${target}.wants") unit.wantedBy}
    ${concatMapStrings (target: link name "${target}.requires") unit.requiredBy}
    ${concatMapStrings (
      alias: "ln -s ${escapeShellArg name} $out/units/${escapeShellArg alias}\n"
    ) unit.aliases}
  '';
  installEtc =
    _: entry:
    let
      target = "$out/etc/${escapeShellArg entry.target}";
      put = if entry.mode == "symlink" then "ln -s" else "cp -r --no-preserve=mode";
    in
    ''
      mkdir -p "$(dirname ${target})"
      test -e ${entry.source} || { echo "environment.etc: ${entry.target} has no source" >&2; exit 1; }
      ${put} ${entry.source} ${target}
    '';
  etc = filterAttrs (_: entry: entry.enable) config.environment.etc;
  units = filterAttrs (_: unit: unit.enable) config.systemd.units;
  inherit (config.systemd) tmpfiles;
  tmpfilesTexts =
    lib.optionalAttrs (tmpfiles.rules != [ ]) { "00-nixos" = lib.concatLines tmpfiles.rules; }
    // lib.mapAttrs (_: (import ./systemd-text.nix { inherit lib; }).tmpfiles) tmpfiles.settings;
  installTmpfiles = name: text: ''
    mkdir -p $out/etc/tmpfiles.d
    cp ${pkgs.writeText "${name}.conf" text} $out/etc/tmpfiles.d/${escapeShellArg name}.conf
  '';
  users = pkgs.writeText "users.json" (
    builtins.toJSON {
      users = lib.mapAttrs (
        _: account:
        removeAttrs account [
          "packages"
          "openssh"
          "shell"
        ]
      ) config.users.users;
      inherit (config.users) groups;
    }
  );
  etcModes = pkgs.writeText "etc-modes.json" (
    builtins.toJSON (
      lib.mapAttrs (_: entry: { inherit (entry) mode user group; }) (
        filterAttrs (_: entry: entry.mode != "symlink") etc
      )
    )
  );
  toplevel = pkgs.runCommand "nixos-system-${config.networking.hostName}" { } ''
    mkdir -p $out/units $out/etc
    ${concatStrings (mapAttrsToList installUnit units)}
    ${concatStrings (mapAttrsToList installEtc etc)}
    ${concatStrings (mapAttrsToList installTmpfiles tmpfilesTexts)}
    cp ${users} $out/users.json
    cp ${etcModes} $out/etc-modes.json
    ${concatMapStrings (check: "test -e ${check}\n") config.system.checks}
  '';
in
{
  options = {
    assertions = mkOption {
      type = types.listOf types.unspecified;
      internal = true;
      default = [ ];
    };
    warnings = mkOption {
      type = types.listOf types.str;
      internal = true;
      default = [ ];
    };
    system.build = mkOption {
      type = types.lazyAttrsOf types.unspecified;
      default = { };
    };
    system.checks = mkOption {
      type = types.listOf types.package;
      default = [ ];
    };
    system.activationScripts = mkOption {
      type = types.attrsOf (types.either types.str types.attrs);
      default = { };
    };
  };

  config.system.build = {
    toplevel =
      if failed != [ ] then
        throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (message: "- ${message}") failed}"
      else
        assert everything;
        lib.showWarnings config.warnings toplevel;
  };
}
