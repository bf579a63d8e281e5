# Types whose values have one of several shapes.
lib:
let
  inherit (builtins)
    all
    elem
    filter
    foldl'
    head
    isBool
    isInt
    isString
    length
    tail
    typeOf
    ;
  inherit (lib)
    concatMapStringsSep
    getFiles
    mergeEqualOption
    mergeOneOption
    showFiles
    showOption
    ;
  inherit (import ./core.nix lib)
    forceValue
    mergeTypes
    mkOptionType
    phrase
    ;
in
rec {
  nullOr =
    type:
    mkOptionType {
      name = "nullOr";
      description = "null or ${
        phrase [
          "noun"
          "conjunction"
        ] type
      }";
      descriptionClass = "conjunction";
      check = x: x == null || type.check x;
      merge =
        loc: defs:
        let
          nulls = filter (def: def.value == null) defs;
        in
        if nulls == [ ] then
          type.merge loc defs
        else if length nulls == length defs then
          null
        else
          throw "The option `${showOption loc}` is defined both null and not null, in ${showFiles (getFiles defs)}.";
      force = loc: defs: (head defs).value == null || type.force loc defs;
      emptyValue.value = null;
      inherit (type) getSubOptions getSubModules;
      substSubModules = modules: nullOr (type.substSubModules modules);
      nestedTypes.elemType = type;
      typeMerge =
        other:
        let
          merged = mergeTypes type other.nestedTypes.elemType;
        in
        if merged == null then null else nullOr merged;
    };

  enum =
    values:
    let
      show =
        value:
        if isString value then
          ''"${value}"''
        else if isInt value then
          toString value
        else if isBool value then
          lib.boolToString value
        else
          "<${typeOf value}>";
    in
    mkOptionType {
      name = "enum";
      description =
        if values == [ ] then
          "impossible (empty enum)"
        else if length values == 1 then
          "value ${show (head values)} (singular enum)"
        else
          "one of ${concatMapStringsSep ", " show values}";
      descriptionClass = if length values < 2 then "noun" else "conjunction";
      check = value: elem value values;
      merge = mergeEqualOption;
      payload = { inherit values; };
      typeMerge = other: enum (lib.unique (values ++ other.payload.values));
    };

  either =
    first: second:
    let
      chosen =
        defs:
        if all (def: first.check def.value) defs then
          first
        else if all (def: second.check def.value) defs then
          second
        else
          null;
      simple = phrase [
        "noun"
        "conjunction"
      ];
      last = phrase [
        "noun"
        "conjunction"
        "composite"
      ];
    in
    mkOptionType {
      name = "either";
      description =
        if first.descriptionClass == "nonRestrictiveClause" then
          "${first.description}, or ${simple second}"
        else
          "${simple first} or ${last second}";
      descriptionClass = "conjunction";
      check = x: first.check x || second.check x;
      merge =
        loc: defs:
        let
          type = chosen defs;
        in
        if type == null then mergeOneOption loc defs else type.merge loc defs;
      force =
        loc: defs:
        let
          type = chosen defs;
        in
        if type == null then forceValue (mergeOneOption loc defs) else type.force loc defs;
      nestedTypes = {
        left = first;
        right = second;
      };
      typeMerge =
        other:
        let
          left = mergeTypes first other.nestedTypes.left;
          right = mergeTypes second other.nestedTypes.right;
        in
        if left == null || right == null then null else either left right;
    };
  oneOf =
    types:
    if types == [ ] then
      throw "types.oneOf needs to get at least one type in its argument"
    else
      foldl' either (head types) (tail types);

  coercedTo =
    from: convert: to:
    let
      converted = map (def: if from.check def.value then def // { value = convert def.value; } else def);
    in
    assert lib.assertMsg (
      from.getSubModules == null
    ) "coercedTo: coercedType must not have submodules (it’s a ${from.description})";
    mkOptionType {
      name = "coercedTo";
      description = "${phrase [ "noun" ] to} or ${phrase [ "noun" ] from} convertible to it";
      check = x: (from.check x && to.check (convert x)) || to.check x;
      merge = loc: defs: to.merge loc (converted defs);
      force = loc: defs: to.force loc (converted defs);
      inherit (to) emptyValue getSubOptions getSubModules;
      substSubModules = modules: coercedTo from convert (to.substSubModules modules);
      nestedTypes = {
        coercedType = from;
        finalType = to;
      };
      typeMerge = _other: null;
    };
}
