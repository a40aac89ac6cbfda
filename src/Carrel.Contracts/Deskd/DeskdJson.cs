using System.Text.Json.Serialization;

namespace Carrel.Contracts.Deskd;

/// <summary>How <see cref="Identity"/> and <see cref="ReadyReport"/> are written: snake_case, source-generated.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Identity))]
[JsonSerializable(typeof(ReadyReport))]
public sealed partial class DeskdJson : JsonSerializerContext;
