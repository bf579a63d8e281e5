# Functions about nothing in particular: composition, warnings, fixed points, versions of the stand-in itself.
lib:
let
  inherit (builtins) foldl' trace;
in
rec {
  inherit (builtins)
    add
    addErrorContext
    bitAnd
    bitOr
    bitXor
    deepSeq
    div
    fromJSON
    genericClosure
    isAttrs
    isBool
    isFloat
    isInt
    isList
    isPath
    isString
    lessThan
    mul
    pathExists
    readFile
    seq
    sub
    tryEval
    typeOf
    ;
  inherit (builtins) compareVersions parseDrvName;

  release = "26.05";
  version = "${release}-standin";

  id = x: x;
  const = x: _: x;
  flip =
    f: x: y:
    f y x;
  pipe = foldl' (x: f: f x);
  min = x: y: if x < y then x else y;
  max = x: y: if x > y then x else y;
  mod = base: int: base - (int * (builtins.div base int));
  compare =
    a: b:
    if a < b then
      -1
    else if a > b then
      1
    else
      0;
  xor = a: b: a != b;
  mapNullable = f: a: if a == null then a else f a;
  defaultTo = default: maybeNull: if maybeNull != null then maybeNull else default;
  boolToString = x: if x then "true" else "false";
  boolToYesNo = x: if x then "yes" else "no";

  warn = message: trace "evaluation warning: ${message}";
  warnIf = condition: message: if condition then warn message else id;
  warnIfNot = condition: warnIf (!condition);
  showWarnings = warnings: result: foldl' (r: w: warn w r) result warnings;
  throwIf = condition: message: if condition then throw message else id;
  throwIfNot = condition: throwIf (!condition);
  assertMsg = condition: message: condition || throw message;
  assertOneOf =
    name: value: allowed:
    assertMsg (builtins.elem value allowed) "${name} must be one of ${
      lib.generators.toPretty { } allowed
    }, but is: ${lib.generators.toPretty { } value}";

  isFunction = f: builtins.isFunction f || (f ? __functor && isFunction (f.__functor f));
  functionArgs =
    f:
    if f ? __functor then
      f.__functionArgs or (functionArgs (f.__functor f))
    else
      builtins.functionArgs f;
  setFunctionArgs = f: args: {
    __functor = _self: f;
    __functionArgs = args;
  };
  mirrorFunctionArgs = f: g: if functionArgs f == { } then g else setFunctionArgs g (functionArgs f);
  toFunction = value: if isFunction value then value else const value;

  fix =
    f:
    let
      x = f x;
    in
    x;
  extends =
    overlay: f: final:
    let
      previous = f final;
    in
    previous // overlay final previous;
  composeExtensions =
    first: second: final: previous:
    let
      applied = first final previous;
    in
    applied // second final (previous // applied);
  composeManyExtensions = lib.foldr composeExtensions (_final: _previous: { });
  makeExtensible =
    f: fix f // { extend = overlay: makeExtensible (extends (toExtension overlay) f); };
  toExtension = value: if isFunction value then value else (_final: _previous: value);

  importJSON = path: builtins.fromJSON (readFile path);
  importTOML = path: builtins.fromTOML (readFile path);
  pathIsDirectory = path: builtins.pathExists path && builtins.readFileType path == "directory";
  pathIsRegularFile = path: builtins.pathExists path && builtins.readFileType path == "regular";
}
