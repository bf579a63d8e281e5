# runCommand and its kin. Builders are the host's bash; PATH holds what nixpkgs' stdenv has and what an input brings.
{
  lib,
  system,
  pkgs,
}:
let
  inherit (lib)
    concatMapStrings
    concatMapStringsSep
    escapeShellArg
    optionalString
    ;

  # The `:` at the end keeps bash the last process: it would exec a final `cp`, coreutils close stderr before they
  # exit, and Nix, which takes the end of the log for the end of the build, would kill the builder.
  raw =
    {
      name,
      path,
      script,
      env ? { },
    }:
    derivation (
      {
        # as stdenv makes names of what cannot be one
        name = lib.replaceStrings [ "@" ":" ] [ "-" "-" ] name;
        inherit system;
        builder = "/bin/bash";
        args = [
          "-e"
          "-o"
          "pipefail"
          "-c"
          ''
            export PATH=${path} HOME=/homeless-shelter
            ${script}
            :
          ''
        ];
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
      // env
    );

  notForTheBuilder = [
    "meta"
    "passthru"
    "env"
    "pname"
    "version"
  ];
  isInput =
    name:
    lib.elem name [
      "nativeBuildInputs"
      "buildInputs"
      "nativeCheckInputs"
      "propagatedBuildInputs"
    ];
  runCommand =
    name: env: script:
    let
      inputs = lib.concatLists (lib.attrValues (lib.filterAttrs (field: _: isInput field) env));
      attrs = env // {
        inherit name;
      };
      overrideAttrs =
        change:
        let
          first = lib.toFunction change attrs;
          new = attrs // (if lib.isFunction first then lib.toFunction change new attrs else first);
        in
        runCommand new.name (removeAttrs new [ "name" ]) script;
    in
    raw {
      inherit name script;
      path = lib.makeBinPath (inputs ++ [ pkgs.stdenvTools ]);
      env = removeAttrs env notForTheBuilder // env.env or { };
    }
    // env.passthru or { }
    // lib.getAttrs (lib.filter (field: env ? ${field}) [
      "pname"
      "version"
    ]) env
    // {
      meta = env.meta or { };
      passthru = env.passthru or { };
      inherit overrideAttrs;
    };

  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      checkPhase ? "",
      meta ? { },
      passthru ? { },
      derivationArgs ? { },
    }:
    runCommand name
      (
        {
          inherit text meta passthru;
          passAsFile = [ "text" ];
        }
        // derivationArgs
      )
      ''
        target=$out${escapeShellArg destination}
        mkdir -p "$(dirname "$target")"
        cp "$textPath" "$target"
        ${optionalString executable ''chmod +x "$target"''}
        ${checkPhase}
      '';
  writeText = name: text: writeTextFile { inherit name text; };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  shellScript = text: ''
    #!${pkgs.runtimeShell}
    ${text}
  '';
  parses = ''${pkgs.bash}/bin/bash -n "$target"'';
  writeShellScript =
    name: text:
    writeTextFile {
      inherit name;
      text = shellScript text;
      executable = true;
      checkPhase = parses;
    };
  writeShellScriptBin =
    name: text:
    writeTextFile {
      inherit name;
      text = shellScript text;
      executable = true;
      destination = "/bin/${name}";
      checkPhase = parses;
      meta.mainProgram = name;
    };
  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      runtimeEnv ? null,
      meta ? { },
      passthru ? { },
      checkPhase ? parses,
      bashOptions ? [
        "errexit"
        "nounset"
        "pipefail"
      ],
      inheritPath ? true,
      excludeShellChecks ? [ ],
      extraShellCheckFlags ? [ ],
    }:
    assert lib.isList excludeShellChecks && lib.isList extraShellCheckFlags;
    writeTextFile {
      inherit name passthru checkPhase;
      meta = {
        mainProgram = name;
      }
      // meta;
      executable = true;
      destination = "/bin/${name}";
      text = ''
        #!${pkgs.runtimeShell}
        ${concatMapStringsSep "\n" (option: "set -o ${option}") bashOptions}
      ''
      + optionalString (runtimeEnv != null) (
        lib.concatMapAttrsStringSep "" (variable: value: ''
          ${lib.toShellVar variable value}
          export ${variable}
        '') runtimeEnv
      )
      + optionalString (runtimeInputs != [ ] || !inheritPath) ''

        export PATH="${lib.makeBinPath runtimeInputs}${optionalString inheritPath ":$PATH"}"
      ''
      + ''

        ${text}
      '';
    };

  linkFarm =
    name: entries:
    let
      links =
        if lib.isAttrs entries then
          lib.mapAttrsToList (name': path: {
            name = name';
            inherit path;
          }) entries
        else
          entries;
    in
    runCommand name { passthru.entries = entries; } (
      "mkdir -p $out\n"
      + concatMapStrings (link: ''
        mkdir -p "$out/$(dirname ${escapeShellArg link.name})"
        ln -s ${escapeShellArg "${link.path}"} $out/${escapeShellArg link.name}
      '') links
    );
  symlinkJoin =
    {
      name,
      paths,
      postBuild ? "",
      meta ? { },
      passthru ? { },
      nativeBuildInputs ? [ ],
    }:
    runCommand name
      {
        inherit meta nativeBuildInputs;
        passthru = passthru // {
          inherit paths;
        };
      }
      ''
        mkdir -p $out
        for path in ${concatMapStringsSep " " (path: "${path}") paths}; do
          cp -rs --no-preserve=mode "$path"/. $out/
        done
        ${postBuild}
      '';
  mkShell =
    {
      name ? "nix-shell",
      packages ? [ ],
      inputsFrom ? [ ],
      nativeBuildInputs ? [ ],
      buildInputs ? [ ],
      ...
    }@args:
    runCommand name
      (
        removeAttrs args [
          "name"
          "packages"
          "inputsFrom"
        ]
        // {
          nativeBuildInputs = packages ++ nativeBuildInputs ++ buildInputs;
          passthru = { inherit inputsFrom; };
        }
      )
      ''
        echo "${name} is a development shell: enter it with nix develop" > $out
      '';
in
{
  inherit raw;
  public = {
    inherit
      linkFarm
      mkShell
      runCommand
      symlinkJoin
      writeScript
      writeShellApplication
      writeShellScript
      writeShellScriptBin
      writeText
      writeTextFile
      ;
    runCommandLocal = runCommand;
    mkShellNoCC = mkShell;
    buildEnv = { name, paths, ... }: symlinkJoin { inherit name paths; };
    linkFarmFromDrvs =
      name: drvs:
      linkFarm name (
        map (drv: {
          inherit (drv) name;
          path = drv;
        }) drvs
      );
    writeTextDir =
      destination: text:
      writeTextFile {
        name = baseNameOf destination;
        inherit text;
        destination = "/${destination}";
      };
    writeScriptBin =
      name: text:
      writeTextFile {
        inherit name text;
        executable = true;
        destination = "/bin/${name}";
        meta.mainProgram = name;
      };
    emptyFile = runCommand "empty-file" { } "touch $out";
    emptyDirectory = runCommand "empty-directory" { } "mkdir $out";
  };
}
