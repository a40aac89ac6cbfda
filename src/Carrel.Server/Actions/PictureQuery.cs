using Carrel.Contracts;
using Microsoft.AspNetCore.WebUtilities;

namespace Carrel.Server.Actions;

/// <summary>How the client wants a picture (reference section 25.7): the part of the query that the server answers for.</summary>
internal enum PictureDelivery
{
    Url,
    Base64,
    Binary,
}

/// <param name="ForDesktop">The query for deskd, which checks the rest: format, quality, scale, cursor, settle and its times.</param>
internal sealed record PictureQuery(PictureDelivery Delivery, bool After, bool Settles, string ForDesktop)
{
    private static readonly string[] OurOwn = ["response_format", "token"];
    private static readonly PictureQuery Plain = new(PictureDelivery.Url, false, false, "");

    public static Outcome<PictureQuery> Read(HttpRequest request)
    {
        if (!request.QueryString.HasValue)
        {
            return Plain;
        }

        PictureDelivery delivery;
        switch (request.Query["response_format"].ToString())
        {
            case "" or "url":
                delivery = PictureDelivery.Url;
                break;
            case "base64":
                delivery = PictureDelivery.Base64;
                break;
            case "binary":
                delivery = PictureDelivery.Binary;
                break;
            case var other:
                return new Failure(ErrorCodes.InvalidField, $"The query parameter response_format must be url, base64 or binary, but is {Short(other)}.");
        }

        var after = request.Query["screenshot"].ToString();
        if (after is not ("" or "after"))
        {
            return new Failure(ErrorCodes.InvalidField, $"The query parameter screenshot must be after, but is {Short(after)}.");
        }

        var rest = request.Query.Where(entry => !OurOwn.Contains(entry.Key, StringComparer.OrdinalIgnoreCase))
            .SelectMany(entry => entry.Value, (entry, value) => KeyValuePair.Create(entry.Key, value));
        return new PictureQuery(delivery, after == "after", after == "after" || request.Query.ContainsKey("settle"), QueryHelpers.AddQueryString("", rest));
    }

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
