/* Prints the types of imagegen.d.ts as JSON: {name: shape}. A shape is as openapi.json would have it, without words. */
import { fileURLToPath } from "node:url";
import ts from "typescript";

const file = fileURLToPath(new URL("../imagegen.d.ts", import.meta.url));
const program = ts.createProgram([file], { strict: true, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [] }), checker = program.getTypeChecker();
const source = program.getSourceFile(file), isOptional = (property) => Boolean(property.flags & ts.SymbolFlags.Optional);

function shape(type) {
  if (type.isUnion()) return union(type.types);
  if (type.isStringLiteral()) return { enum: [type.value] };
  if (checker.isArrayType(type)) return { items: shape(checker.getTypeArguments(type)[0]) };
  if (!(type.flags & ts.TypeFlags.Object)) return { type: [checker.typeToString(type)] };
  const properties = checker.getPropertiesOfType(type);
  return {
    properties: Object.fromEntries(properties.map((property) => [property.name, shape(checker.getNonOptionalType(checker.getTypeOfSymbol(property)))])),
    required: properties.filter((property) => !isOptional(property)).map(({ name }) => name).sort(),
  };
}

function union(types) {
  const parts = types.filter((type) => !(type.flags & ts.TypeFlags.Undefined)).map(shape), key = parts.every((part) => part.enum) ? "enum" : "type";
  return parts.length === 1 ? parts[0] : { [key]: parts.flatMap((part) => part[key]).sort() };
}

const told = source.statements.filter((node) => ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node));
console.log(JSON.stringify(Object.fromEntries(told.filter(({ name }) => process.argv.includes(name.text)).map((node) => [node.name.text, shape(checker.getTypeAtLocation(node))]))));
