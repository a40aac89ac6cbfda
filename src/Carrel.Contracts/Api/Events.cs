namespace Carrel.Contracts.Api;

/// <summary>Answer of <c>GET /computers/{id}/events</c>: the events that <c>/desktops/{id}/ws/events</c> tells (reference section 7.4).</summary>
public sealed record EventCatalogueAnswer(IReadOnlyList<EventTypeAnswer> EventTypes);

/// <param name="Type">Name to subscribe to.</param>
/// <param name="Data">What each field of its <c>data</c> holds.</param>
public sealed record EventTypeAnswer(string Type, string Description, IReadOnlyDictionary<string, string> Data);
