# The options of treefmt.nix, and the check and the wrapper that follow from them.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib)
    concatMapStrings
    concatStringsSep
    escapeShellArg
    mkOption
    types
    ;

  # `check` and `write` are the arguments before the file
  formatters = {
    nixfmt = {
      package = pkgs.nixfmt;
      includes = [ "*.nix" ];
      check = [ "--check" ];
      write = [ ];
      extra = lib.optionals (config.programs.nixfmt.width != null) [
        "--width"
        (toString config.programs.nixfmt.width)
      ];
    };
    deadnix = {
      package = pkgs.deadnix;
      includes = [ "*.nix" ];
      check = [ "--fail" ];
      write = [ "--edit" ];
      extra =
        lib.optional config.programs.deadnix.no-lambda-arg "--no-lambda-arg"
        ++ lib.optional config.programs.deadnix.no-lambda-pattern-names "--no-lambda-pattern-names"
        ++ lib.optional config.programs.deadnix.no-underscore "--no-underscore";
    };
    taplo = {
      package = pkgs.taplo;
      includes = [ "*.toml" ];
      check = [
        "format"
        "--check"
      ];
      write = [ "format" ];
      extra = [ ];
    };
    rustfmt = {
      package = pkgs.rustfmt;
      includes = [ "*.rs" ];
      check = [ "--check" ];
      write = [ ];
      extra = [
        "--config"
        "skip_children=true"
        "--edition"
        config.programs.rustfmt.edition
      ];
    };
  };

  strings =
    default:
    mkOption {
      type = types.listOf types.str;
      inherit default;
    };
  common = name: formatter: {
    enable = lib.mkEnableOption name;
    package = mkOption {
      type = types.package;
      default = formatter.package;
    };
    includes = strings formatter.includes;
    excludes = strings [ ];
    priority = mkOption {
      type = types.nullOr types.int;
      default = null;
    };
  };

  enabled = lib.filterAttrs (name: _: config.programs.${name}.enable) formatters;
  # treefmt's patterns: one without a slash is about the name, one with a slash about the path from the root
  test =
    pattern:
    if lib.hasInfix "/" pattern then
      "-path ${escapeShellArg "./${lib.removePrefix "./" pattern}"}"
    else
      "-name ${escapeShellArg pattern}";
  anyOf = patterns: concatStringsSep " -o " (map test patterns);
  # Like treefmt, only what git would list: not cargo's output.
  find =
    program:
    let
      excludes = config.settings.global.excludes ++ config.settings.excludes ++ program.excludes;
    in
    ''find . \( -name .git -o -path ./target \) -prune -o -type f \( ${anyOf program.includes} \) ${
      lib.optionalString (excludes != [ ]) ''! \( ${anyOf excludes} \)''
    } -print0'';
  run =
    mode: name: formatter:
    let
      program = config.programs.${name};
      arguments =
        formatter.${mode} ++ formatter.extra ++ config.settings.formatter.${name}.options or [ ];
    in
    ''
      while IFS= read -r -d "" file; do
        if ! ${lib.getExe' program.package name} ${lib.escapeShellArgs arguments} "$file"; then
          echo "${name}: $file" >&2
          failed=1
        fi
      done < <(${find program})
    '';
  runAll = mode: ''
    failed=0
    ${concatMapStrings lib.id (lib.mapAttrsToList (run mode) enabled)}
    if [ "$failed" != 0 ]; then
      echo "${
        if mode == "check" then
          "these files are not as the formatters want them: run nix fmt"
        else
          "a formatter failed"
      }" >&2
      exit 1
    fi
  '';
in
{
  options = {
    projectRootFile = mkOption {
      type = types.nullOr types.str;
      default = ".git/config";
    };
    enableDefaultExcludes = mkOption {
      type = types.bool;
      default = true;
    };
    programs = lib.recursiveUpdate (lib.mapAttrs common formatters) {
      nixfmt = {
        strict = lib.mkEnableOption "strict formatting";
        width = mkOption {
          type = types.nullOr types.int;
          default = null;
        };
      };
      deadnix = {
        no-lambda-arg = lib.mkEnableOption "leaving out lambda arguments";
        no-lambda-pattern-names = lib.mkEnableOption "leaving out names of lambda patterns";
        no-underscore = lib.mkEnableOption "leaving out names that start with an underscore";
      };
      rustfmt.edition = mkOption {
        type = types.str;
        default = "2024";
      };
    };
    settings = {
      excludes = strings [ ];
      global.excludes = strings [ ];
      formatter = mkOption {
        type = types.attrsOf (
          types.submodule {
            options.options = strings [ ];
          }
        );
        default = { };
      };
    };
    build = {
      wrapper = mkOption {
        type = types.package;
        readOnly = true;
      };
      check = mkOption {
        type = types.functionTo types.package;
        readOnly = true;
      };
      programs = mkOption {
        type = types.attrsOf types.package;
        readOnly = true;
      };
    };
  };

  config = {
    settings.excludes = lib.mkIf config.enableDefaultExcludes [
      "*.lock"
      "*.patch"
      ".gitattributes"
      ".gitignore"
      "LICENSE"
    ];
    build = {
      programs = lib.mapAttrs (name: _: config.programs.${name}.package) enabled;
      # formats the tree that it is called in
      wrapper = pkgs.writeShellScriptBin "treefmt" ''
        set -euo pipefail
        ${lib.optionalString (config.projectRootFile != null) ''
          while [ ! -e ${escapeShellArg config.projectRootFile} ] && [ "$PWD" != / ]; do cd ..; done
        ''}
        ${runAll "write"}
      '';
      check =
        source:
        lib.throwIf (enabled == { }) "treefmt.nix enables no formatter, so its check could not fail" (
          pkgs.runCommand "treefmt-check" { } ''
            cp -r ${source} tree
            chmod -R u+w tree
            cd tree
            export HOME=$NIX_BUILD_TOP
            ${runAll "check"}
            touch $out
          ''
        );
    };
  };
}
