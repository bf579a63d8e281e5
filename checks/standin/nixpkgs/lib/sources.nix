# Choosing which files of a folder become a source in the store.
lib:
let
  inherit (builtins) baseNameOf match;
in
rec {
  cleanSourceFilter =
    name: type:
    let
      base = baseNameOf name;
    in
    !(
      (
        base == ".git"
        || (
          type == "directory"
          && lib.elem base [
            ".svn"
            "CVS"
            ".hg"
            ".jj"
            ".pijul"
            "_darcs"
          ]
        )
      )
      || lib.hasSuffix "~" base
      || match "\\.sw[a-z]" base != null
      || match "\\..*\\.sw[a-z]" base != null
      || lib.hasSuffix ".o" base
      || lib.hasSuffix ".so" base
      || (type == "symlink" && lib.hasPrefix "result" base)
      || type == "unknown"
    );
  cleanSourceWith =
    {
      filter ? (_path: _type: true),
      src,
      name ? "source",
    }:
    let
      inner = src.filter or (_path: _type: true);
      origSrc = src.origSrc or src;
      both = path: type: inner path type && filter path type;
    in
    {
      inherit name origSrc;
      filter = both;
      outPath = builtins.path {
        inherit name;
        filter = both;
        path = origSrc;
      };
    };
  cleanSource =
    src:
    cleanSourceWith {
      inherit src;
      filter = cleanSourceFilter;
    };
  sourceFilesBySuffices =
    src: suffixes:
    cleanSourceWith {
      inherit src;
      filter =
        name: type:
        type == "directory" || lib.any (suffix: lib.hasSuffix suffix (baseNameOf name)) suffixes;
    };
  sourceByRegex =
    src: regexes:
    let
      root = toString (src.origSrc or src);
    in
    cleanSourceWith {
      inherit src;
      filter =
        path: _type:
        let
          relative = lib.removePrefix (root + "/") (toString path);
        in
        lib.any (regex: match regex relative != null) regexes;
    };
}
