using System.Text.Json;

namespace Carrel.Deskd.Http;

/// <summary>Describes the routes as OpenAPI 3.0.1, from the same declarations that check requests.</summary>
internal static class OpenApiDocument
{
    public static ReadOnlyMemory<byte> Write(IEnumerable<Route> routes, string title, string version) => Reply.JsonBytes(json =>
    {
        json.WriteString("openapi"u8, "3.0.1"u8);
        json.WriteStartObject("info"u8);
        json.WriteString("title"u8, title);
        json.WriteString("version"u8, version);
        json.WriteEndObject();
        json.WriteStartObject("paths"u8);
        foreach (var path in routes.Where(r => r.Access != Access.Host).GroupBy(r => r.Path, StringComparer.Ordinal))
        {
            json.WriteStartObject(path.Key.Replace("{*", "{", StringComparison.Ordinal));
            foreach (var route in path)
            {
                WriteOperation(json, route);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        WriteComponents(json);
    });

    private static void WriteOperation(Utf8JsonWriter json, Route route)
    {
        json.WriteStartObject(route.Method.ToLowerInvariant());
        json.WriteString("operationId"u8, route.Method.ToLowerInvariant() + string.Concat(route.Path.Where(c => c is not ('{' or '*' or '}'))).Replace('/', '_'));
        json.WriteString("summary"u8, route.Summary);
        json.WriteStartArray("security"u8);
        if (route.Access == Access.Token)
        {
            json.WriteStartObject();
            json.WriteStartArray("token"u8);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        var inPath = route.Path.Split('/').Where(segment => segment.StartsWith('{')).Select(segment => segment.Trim('{', '*', '}')).ToList();
        if (inPath.Count > 0 || route.Query.Count > 0)
        {
            WriteParameters(json, inPath, route.Query);
        }

        if (route.Body.Count > 0)
        {
            WriteBody(json, route.Body);
        }

        json.WriteStartObject("responses"u8);
        WriteResponse(json, "200", "Done.", error: false);
        WriteResponse(json, "default", "What was wrong.", error: true);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteParameters(Utf8JsonWriter json, IEnumerable<string> inPath, IEnumerable<Field> fields)
    {
        json.WriteStartArray("parameters"u8);
        foreach (var name in inPath)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteString("in"u8, "path"u8);
            json.WriteBoolean("required"u8, true);
            json.WriteStartObject("schema"u8);
            json.WriteString("type"u8, "string"u8);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        foreach (var field in fields)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, field.Name);
            json.WriteString("in"u8, "query"u8);
            json.WriteString("description"u8, field.Summary);
            json.WriteBoolean("required"u8, field.Required);
            json.WritePropertyName("schema"u8);
            WriteFieldSchema(json, field, described: false);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteBody(Utf8JsonWriter json, IReadOnlyList<Field> fields)
    {
        json.WriteStartObject("requestBody"u8);
        json.WriteBoolean("required"u8, fields.Any(f => f.Required));
        json.WriteStartObject("content"u8);
        json.WriteStartObject("application/json"u8);
        json.WriteStartObject("schema"u8);
        json.WriteString("type"u8, "object"u8);
        json.WriteStartObject("properties"u8);
        foreach (var field in fields)
        {
            json.WritePropertyName(field.Name);
            WriteFieldSchema(json, field, described: true);
        }

        json.WriteEndObject();
        if (fields.Any(f => f.Required))
        {
            json.WriteStartArray("required"u8);
            foreach (var field in fields.Where(f => f.Required))
            {
                json.WriteStringValue(field.Name);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteFieldSchema(Utf8JsonWriter json, Field field, bool described)
    {
        json.WriteStartObject();
        switch (field)
        {
            case IntegerField integer:
                json.WriteString("type"u8, "integer"u8);
                json.WriteNumber("minimum"u8, integer.Min);
                if (integer.Max != int.MaxValue)
                {
                    json.WriteNumber("maximum"u8, integer.Max);
                }

                WriteDefault(field, () => json.WriteNumber("default"u8, integer.Default));
                break;
            case NumberField number:
                json.WriteString("type"u8, "number"u8);
                json.WriteNumber("minimum"u8, number.Min);
                json.WriteNumber("maximum"u8, number.Max);
                break;
            case FlagField:
                json.WriteString("type"u8, "boolean"u8);
                json.WriteBoolean("default"u8, false);
                break;
            case TextField text:
                json.WriteString("type"u8, "string"u8);
                WriteDefault(field, () => json.WriteString("default"u8, text.Default), text.Default.Length > 0);
                if (text.Choices is { } choices)
                {
                    json.WriteStartArray("enum"u8);
                    Array.ForEach(choices, json.WriteStringValue);
                    json.WriteEndArray();
                }

                break;
        }

        if (described)
        {
            json.WriteString("description"u8, field.Summary);
        }

        json.WriteEndObject();
    }

    private static void WriteDefault(Field field, Action write, bool has = true)
    {
        if (!field.Required && has)
        {
            write();
        }
    }

    private static void WriteResponse(Utf8JsonWriter json, string status, string description, bool error)
    {
        json.WriteStartObject(status);
        json.WriteString("description"u8, description);
        if (error)
        {
            json.WriteStartObject("content"u8);
            json.WriteStartObject("application/json"u8);
            json.WriteStartObject("schema"u8);
            json.WriteString("$ref"u8, "#/components/schemas/Error"u8);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteComponents(Utf8JsonWriter json)
    {
        json.WritePropertyName("components"u8);
        json.WriteRawValue("""
            {"securitySchemes":{"token":{"type":"http","scheme":"bearer"}},
             "schemas":{"Error":{"type":"object","required":["error","code"],"properties":{
               "error":{"type":"string"},"code":{"type":"string"},"field":{"type":"string"}}}}}
            """u8);
    }
}
