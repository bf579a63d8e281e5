# Sets of files, as a predicate on absolute paths: enough of `lib.fileset` to choose a source.
lib:
let
  inherit (builtins) isPath pathExists readFileType;
  # a folder stands for all that is in it, a file for itself
  fromPath =
    path:
    if !(pathExists path) then
      throw "lib.fileset: ${toString path} does not exist"
    else
      let
        root = toString path;
      in
      {
        _type = "fileset";
        has = file: file == root || lib.hasPrefix (root + "/") file;
      };
  coerce =
    x:
    if isPath x then
      fromPath x
    else if x._type or null == "fileset" then
      x
    else
      throw "lib.fileset: expected a path or a file set, not a ${builtins.typeOf x}";
  combine =
    f: a: b:
    let
      left = coerce a;
      right = coerce b;
    in
    {
      _type = "fileset";
      has = file: f (left.has file) (right.has file);
    };
  empty = {
    _type = "fileset";
    has = _file: false;
  };
in
rec {
  union = combine (a: b: a || b);
  intersection = combine (a: b: a && b);
  difference = combine (a: b: a && !b);
  unions = lib.foldl' union empty;
  maybeMissing = path: if pathExists path then fromPath path else empty;
  fileFilter =
    predicate: root:
    let
      inside = fromPath root;
      about = file: rec {
        name = baseNameOf file;
        type = readFileType (/. + file);
        hasExt = extension: lib.hasSuffix ".${extension}" name;
      };
    in
    {
      _type = "fileset";
      has = file: inside.has file && predicate (about file);
    };
  toSource =
    { root, fileset }:
    let
      chosen = coerce fileset;
      # a folder stays only if a file below it does
      holds =
        folder:
        lib.any (
          name:
          let
            path = "${folder}/${name}";
          in
          if (builtins.readDir (/. + folder)).${name} == "directory" then holds path else chosen.has path
        ) (lib.attrNames (builtins.readDir (/. + folder)));
    in
    lib.cleanSourceWith {
      src = root;
      filter = path: type: if type == "directory" then holds path else chosen.has path;
    };
}
