using System.Globalization;
using Carrel.Contracts;
using Carrel.Contracts.Api;

namespace Carrel.Server.Errors;

/// <summary>An expected failure on its way to the client, in the shape of reference section 1.2.</summary>
internal sealed class Problem(Failure failure) : IResult
{
    public Failure Failure => failure;

    /// <summary>Set where the status differs from that of the code.</summary>
    public int? Status { get; init; }

    public int? UpstreamStatus { get; init; }

    public string? KeyWorkspaceId { get; init; }

    public string? TargetWorkspaceId { get; init; }

    public static Problem NotFound(string what) => new(new Failure(ErrorCodes.NotFound, what));

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status ?? FailureStatus.Of(failure.Code);
        if (response.Headers.RetryAfter.Count == 0 && FailureStatus.RetryAfter(failure.Code) is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (response.StatusCode == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        var text = failure.Remedy is null ? failure.Message : $"{failure.Message} {failure.Remedy}";
        var answer = new ErrorAnswer(text, httpContext.TraceIdentifier, failure.Code, UpstreamStatus, KeyWorkspaceId, TargetWorkspaceId);
        return response.WriteAsJsonAsync(answer, ApiJson.Default.ErrorAnswer, cancellationToken: httpContext.RequestAborted);
    }
}

internal static class ProblemExtensions
{
    public static Problem AsProblem(this Failure failure) => new(failure);

    /// <summary>Declares the failures an endpoint answers with, for the OpenAPI document.</summary>
    public static TBuilder Fails<TBuilder>(this TBuilder builder, params ReadOnlySpan<int> statuses)
        where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in statuses)
        {
            builder.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ErrorAnswer), ["application/json"]));
        }

        return builder;
    }
}
