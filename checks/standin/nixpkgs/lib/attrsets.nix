# Functions on attribute sets.
lib:
let
  inherit (builtins)
    concatMap
    filter
    foldl'
    head
    isAttrs
    length
    tail
    ;
in
rec {
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    hasAttr
    intersectAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;

  nameValuePair = name: value: { inherit name value; };
  optionalAttrs = condition: set: if condition then set else { };
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  genAttrs' = xs: f: listToAttrs (map f xs);
  getAttrs = names: set: genAttrs names (name: set.${name});
  attrVals = names: set: map (name: set.${name}) names;

  attrByPath =
    path: default: set:
    if path == [ ] then
      set
    else if isAttrs set && set ? ${head path} then
      attrByPath (tail path) default set.${head path}
    else
      default;
  hasAttrByPath =
    path: set:
    path == [ ] || (isAttrs set && set ? ${head path} && hasAttrByPath (tail path) set.${head path});
  setAttrByPath =
    path: value: if path == [ ] then value else { ${head path} = setAttrByPath (tail path) value; };
  getAttrFromPath = path: attrByPath path (throw "cannot find attribute '${showAttrPath path}'");
  showAttrPath =
    path:
    if path == [ ] then
      "<root attribute path>"
    else
      lib.concatMapStringsSep "." lib.strings.escapeNixIdentifier path;

  filterAttrs =
    predicate: set: removeAttrs set (filter (name: !(predicate name set.${name})) (attrNames set));
  filterAttrsRecursive =
    predicate: set:
    mapAttrs (_: value: if isAttrs value then filterAttrsRecursive predicate value else value) (
      filterAttrs predicate set
    );
  mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  attrsToList = mapAttrsToList nameValuePair;
  concatMapAttrs = f: set: mergeAttrsList (mapAttrsToList f set);
  mergeAttrsList = foldl' (acc: set: acc // set) { };
  foldlAttrs =
    f: nul: set:
    foldl' (acc: name: f acc name set.${name}) nul (attrNames set);
  foldAttrs =
    op: nul: sets:
    lib.foldr (
      set: acc:
      foldl' (acc': name: acc' // { ${name} = op set.${name} (acc'.${name} or nul); }) acc (attrNames set)
    ) { } sets;
  collect =
    predicate: set:
    if predicate set then
      [ set ]
    else if isAttrs set then
      concatMap (collect predicate) (attrValues set)
    else
      [ ];
  cartesianProduct =
    sets:
    foldl' (rows: name: concatMap (row: map (value: row // { ${name} = value; }) sets.${name}) rows) [
      { }
    ] (attrNames sets);
  mapCartesianProduct = f: sets: map f (cartesianProduct sets);

  mapAttrsRecursiveCond =
    descend: f:
    let
      recurse =
        path:
        mapAttrs (
          name: value:
          let
            here = path ++ [ name ];
          in
          if isAttrs value && descend value then recurse here value else f here value
        );
    in
    recurse [ ];
  mapAttrsRecursive = mapAttrsRecursiveCond (_: true);

  zipAttrs = zipAttrsWith (_: values: values);
  recursiveUpdateUntil =
    stop: lhs: rhs:
    let
      merge =
        path:
        zipAttrsWith (
          name: values:
          let
            here = path ++ [ name ];
          in
          if length values == 1 || stop here (builtins.elemAt values 1) (head values) then
            head values
          else
            merge here values
        );
    in
    merge
      [ ]
      [
        rhs
        lhs
      ];
  recursiveUpdate = recursiveUpdateUntil (
    _path: lhs: rhs:
    !(isAttrs lhs && isAttrs rhs)
  );
  unionOfDisjoint =
    a: b:
    let
      common = attrNames (builtins.intersectAttrs a b);
    in
    a
    // b
    // genAttrs common (
      name: throw "unionOfDisjoint: collision on ${name}; complete list: ${toString common}"
    );

  isDerivation = value: value.type or null == "derivation";
  recurseIntoAttrs = set: set // { recurseForDerivations = true; };
}
