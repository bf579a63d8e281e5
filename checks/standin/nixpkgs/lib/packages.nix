# Functions about packages and platforms: where a package's programs are, who a package is for.
lib:
let
  inherit (builtins)
    functionArgs
    intersectAttrs
    isFunction
    isPath
    isString
    ;
in
rec {
  getOutput =
    output: package:
    if !package.outputSpecified or false then package.${output} or package.out or package else package;
  getBin = getOutput "bin";
  getLib = getOutput "lib";
  getDev = getOutput "dev";
  getExe' =
    package: name:
    if lib.hasInfix "/" name then
      throw "lib.meta.getExe': The second argument \"${name}\" is a nested path with a \"/\" character, but it should just be the name of the executable instead."
    else
      "${getBin package}/bin/${name}";
  getExe = package: getExe' package (package.meta.mainProgram or (lib.getName package));

  addMetaAttrs = meta: package: package // { meta = package.meta or { } // meta; };

  callPackageWith =
    scope: file: args:
    let
      f = if isPath file || isString file then import file else file;
      given = intersectAttrs (functionArgs f) scope // args;
    in
    assert isFunction f;
    makeOverridable f given;
  makeOverridable =
    f: given:
    let
      result = f given;
    in
    if builtins.isAttrs result then
      result // { override = change: makeOverridable f (given // lib.toFunction change given); }
    else
      result;

  licenses = lib.genAttrs [ "asl20" "bsd3" "gpl3Plus" "mit" "mpl20" ] (shortName: {
    inherit shortName;
    free = true;
  });
  maintainers = { };
  teams = { };
  platforms = rec {
    linux = [
      "x86_64-linux"
      "aarch64-linux"
    ];
    all = linux;
    unix = linux;
    x86_64 = [ "x86_64-linux" ];
    aarch64 = [ "aarch64-linux" ];
  };
  systems = {
    flakeExposed = platforms.linux;
    # what modules ask of a platform
    elaborate =
      args:
      let
        system = if isString args then args else args.system;
        cpu = lib.head (lib.splitString "-" system);
      in
      lib.throwIfNot (lib.elem system platforms.linux)
        "stand-in: unknown system ${builtins.toJSON system}"
        {
          inherit system;
          config = "${cpu}-unknown-linux-gnu";
          isLinux = true;
          isDarwin = false;
          isx86_64 = cpu == "x86_64";
          isAarch64 = cpu == "aarch64";
          is64bit = true;
          canExecute = other: other.system == system;
        };
  };
}
