using System.Diagnostics.CodeAnalysis;

namespace Carrel.Contracts;

/// <summary>An expected failure: a stable code, a sentence that says what was tried on what, and the remedy.</summary>
/// <param name="Code">Stable machine-readable code, see <see cref="ErrorCodes"/>.</param>
/// <param name="Message">What was tried, on what, and what went wrong.</param>
/// <param name="Remedy">What the reader can do about it, or null where nothing helps.</param>
public sealed record Failure(string Code, string Message, string? Remedy = null)
{
    public override string ToString() => Remedy is null ? $"{Message} [{Code}]" : $"{Message} {Remedy} [{Code}]";
}

/// <summary>Either a value or an expected <see cref="Failure"/>. Exceptions stay for bugs.</summary>
public readonly record struct Outcome<T>
{
    private readonly T? _value;

    private Outcome(T? value, Failure? failure) => (_value, Failure) = (value, failure);

    /// <summary>Why it failed; null on success.</summary>
    public Failure? Failure { get; }

    [MemberNotNullWhen(false, nameof(Failure))]
    public bool Succeeded => Failure is null;

    /// <summary>The value. Reading it on a failure is a bug.</summary>
    public T Value => Failure is null ? _value! : throw new InvalidOperationException($"no value: {Failure}");

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Failure failure) => new(default, failure);
}
