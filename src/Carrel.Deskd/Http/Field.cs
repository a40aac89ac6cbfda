namespace Carrel.Deskd.Http;

/// <summary>
/// A field of a request, in its body or its query. One declaration both checks a request and describes itself in
/// <c>/schema</c>, so that the two cannot differ.
/// </summary>
internal abstract record Field(string Name, string Summary, bool Required);

/// <summary>A whole number. Coordinates get their upper bound from the screen when they are read.</summary>
internal sealed record IntegerField(string Name, string Summary, bool Required, int Min, int Max, int Default = 0)
    : Field(Name, Summary, Required);

internal sealed record NumberField(string Name, string Summary, bool Required, double Min, double Max, double Default = 0)
    : Field(Name, Summary, Required);

/// <param name="MaxBytes">Longest value, in UTF-8.</param>
/// <param name="Choices">The values there are, or null when any will do.</param>
internal sealed record TextField(
    string Name, string Summary, bool Required, int MaxBytes, string Default = "", string[]? Choices = null)
    : Field(Name, Summary, Required);

internal sealed record FlagField(string Name, string Summary) : Field(Name, Summary, Required: false);
