# Types of lists, attribute sets and functions: each element has a type of its own.
lib:
let
  inherit (builtins)
    all
    attrValues
    concatMap
    isAttrs
    isList
    mapAttrs
    zipAttrsWith
    ;
  inherit (lib) imap1 mergeDefinitions;
  inherit (import ./core.nix lib)
    addCheck
    mergeTypes
    mkOptionType
    phrase
    simple
    ;
in
rec {
  listOf =
    element:
    let
      evaluate =
        loc: defs:
        concatMap lib.id (
          imap1 (
            n: def:
            imap1 (
              m: value:
              mergeDefinitions (loc ++ [ "[definition ${toString n}-entry ${toString m}]" ]) element [
                {
                  inherit (def) file;
                  inherit value;
                }
              ]
            ) def.value
          ) defs
        );
    in
    mkOptionType {
      name = "listOf";
      description = "list of ${simple element}";
      descriptionClass = "composite";
      check = isList;
      merge = loc: defs: map (x: x.mergedValue) (lib.filter (x: x.isDefined) (evaluate loc defs));
      force = loc: defs: all (x: x.forced) (evaluate loc defs);
      emptyValue.value = [ ];
      getSubOptions = prefix: element.getSubOptions (prefix ++ [ "*" ]);
      inherit (element) getSubModules;
      substSubModules = modules: listOf (element.substSubModules modules);
      nestedTypes.elemType = element;
      typeMerge =
        other:
        let
          merged = mergeTypes element other.nestedTypes.elemType;
        in
        if merged == null then null else listOf merged;
    };
  nonEmptyListOf =
    element:
    let
      list = addCheck (listOf element) (xs: xs != [ ]);
    in
    list
    // {
      description = "non-empty ${phrase [ "noun" ] list}";
      emptyValue = { };
      substSubModules = modules: nonEmptyListOf (element.substSubModules modules);
    };

  attrsWith =
    {
      elemType,
      lazy ? false,
      placeholder ? "name",
    }:
    let
      evaluate =
        loc: defs:
        zipAttrsWith (name: mergeDefinitions (loc ++ [ name ]) elemType) (
          map (
            def:
            mapAttrs (_: value: {
              inherit (def) file;
              inherit value;
            }) def.value
          ) defs
        );
      same = other: other.payload.lazy == lazy;
      nameOf =
        other:
        if placeholder == other.payload.placeholder || other.payload.placeholder == "name" then
          placeholder
        else if placeholder == "name" then
          other.payload.placeholder
        else
          null;
    in
    mkOptionType {
      name = if lazy then "lazyAttrsOf" else "attrsOf";
      description = "${lib.optionalString lazy "lazy "}attribute set of ${simple elemType}";
      descriptionClass = "composite";
      check = isAttrs;
      merge =
        loc: defs:
        let
          entries = evaluate loc defs;
        in
        if lazy then
          mapAttrs (
            _: entry: entry.optionalValue.value or elemType.emptyValue.value or entry.mergedValue
          ) entries
        else
          mapAttrs (_: entry: entry.mergedValue) (lib.filterAttrs (_: entry: entry.isDefined) entries);
      force = loc: defs: all (entry: entry.forced) (attrValues (evaluate loc defs));
      emptyValue.value = { };
      getSubOptions = prefix: elemType.getSubOptions (prefix ++ [ "<${placeholder}>" ]);
      inherit (elemType) getSubModules;
      substSubModules =
        modules:
        attrsWith {
          elemType = elemType.substSubModules modules;
          inherit lazy placeholder;
        };
      nestedTypes = { inherit elemType; };
      payload = { inherit lazy placeholder; };
      typeMerge =
        other:
        let
          merged = mergeTypes elemType other.nestedTypes.elemType;
        in
        if merged == null || !(same other) || nameOf other == null then
          null
        else
          attrsWith {
            elemType = merged;
            inherit lazy;
            placeholder = nameOf other;
          };
    };
  attrsOf = elemType: attrsWith { inherit elemType; };
  lazyAttrsOf =
    elemType:
    attrsWith {
      inherit elemType;
      lazy = true;
    };

  functionTo =
    result:
    mkOptionType {
      name = "functionTo";
      description = "function that evaluates to a(n) ${simple result}";
      descriptionClass = "composite";
      check = lib.isFunction;
      merge =
        loc: defs: argument:
        (mergeDefinitions (loc ++ [ "<function body>" ]) result (
          map (def: def // { value = def.value argument; }) defs
        )).mergedValue;
      force = _loc: _defs: true;
      getSubOptions = prefix: result.getSubOptions (prefix ++ [ "<function body>" ]);
      inherit (result) getSubModules;
      substSubModules = modules: functionTo (result.substSubModules modules);
      nestedTypes.elemType = result;
      typeMerge =
        other:
        let
          merged = mergeTypes result other.nestedTypes.elemType;
        in
        if merged == null then null else functionTo merged;
    };

  unique =
    { message }:
    type:
    mkOptionType {
      name = "unique";
      inherit (type)
        description
        descriptionClass
        check
        emptyValue
        getSubOptions
        getSubModules
        force
        ;
      merge = lib.mergeUniqueOption {
        inherit message;
        inherit (type) merge;
      };
      substSubModules = modules: unique { inherit message; } (type.substSubModules modules);
      nestedTypes.elemType = type;
      typeMerge =
        other:
        let
          merged = mergeTypes type other.nestedTypes.elemType;
        in
        if merged == null then null else unique { inherit message; } merged;
    };
  uniq = unique { message = ""; };
}
