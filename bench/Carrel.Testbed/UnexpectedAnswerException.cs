namespace Carrel.Testbed;

/// <summary>The system under test did not do what was expected of it.</summary>
public sealed class UnexpectedAnswerException(string message) : Exception(message);
